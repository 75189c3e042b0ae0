"""What measures of hash networks share: the points that they evaluate, and rows of them."""

from typing import TYPE_CHECKING

from neuralcodes.storage.rows import Row
from neuralcodes.studies.checkpoints import FINAL

if TYPE_CHECKING:
    from neuralcodes.manifolds.representations import Member, Representation

PURPOSE = "measure"  # of the random numbers that draw the evaluated points


def row(
    member: "Member",
    each: "Representation",
    split: str,
    position: float | str,
    metric: str,
    value: float,
) -> Row:
    """Make a row of `rows.MANIFOLD_COLUMNS`.

    Args:
        member: one seed.
        each: how points are represented.
        split: which manifolds.
        position: where on a curve; "" for a single number.
        metric: what was measured.
        value: the number.
    """
    return (member.run.id, member.seed, FINAL, split, each.name, position, metric, float(value))
