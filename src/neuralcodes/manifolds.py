"""The public names of dikkala2021: the generative processes and the measures of representations.

They live apart, so that a change of a measure trains no network again.
"""

from neuralcodes.families import FAMILIES, Family
from neuralcodes.invariance import one_shot_accuracy, variance_ratio

__all__ = ["FAMILIES", "Family", "one_shot_accuracy", "variance_ratio"]
