from .families import FAMILIES as FAMILIES
from .families import Family as Family
from .invariance import one_shot_accuracy as one_shot_accuracy
from .invariance import variance_ratio as variance_ratio
