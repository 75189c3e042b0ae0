"""What figures of manifolds share: looks of the representations, and the choice of their rows."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from neuralcodes.errors import DataError
from neuralcodes.figures import selection
from neuralcodes.figures.chart import Entry, Style
from neuralcodes.figures.declaration import FigureSpec

if TYPE_CHECKING:
    import pandas as pd

# The same in every figure, and ordered in lightness so that they differ in greyscale too.
LOOKS: dict[str, tuple[str, Style]] = {
    "input": ("raw input", Style("#8c8c8c", "s", ":")),
    "untrained": ("untrained network", Style("#e3a52b", "^", "-.")),
    "trained": ("trained network", Style("#0b4f8a", "o", "-")),
}


def select(
    spec: FigureSpec, summary: "pd.DataFrame", columns: Iterable[str], metrics: Sequence[str]
) -> "pd.DataFrame":
    """Rows of the representations that a figure compares.

    Args:
        spec: the figure.
        summary: what `tables.summarize` returns.
        columns: that the figure needs besides `representation`.
        metrics: names of the metrics that it can show.

    Raises:
        DataError: a column is missing, or none of the metrics is measured.
    """
    rows = selection.select(summary, spec, [*columns, "representation"])
    return selection.of_metrics(rows[rows["representation"].isin(list(LOOKS))], metrics)


def on_unseen(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Rows of the unseen manifolds or, where no manifolds are, of the test set.

    Raises:
        DataError: nothing is measured on it.
    """
    split = "test" if {*rows["split"]} <= {"train", "test"} else "unseen"
    if not (rows["split"] == split).any():
        raise DataError(
            f"there is nothing to draw on the split {split!r}; the study measured "
            f"{sorted(rows['split'].unique())}"
        )
    return rows[rows["split"] == split]


def present(rows: "pd.DataFrame") -> list[str]:
    """Representations that have rows, baselines first."""
    return [name for name in LOOKS if (rows["representation"] == name).any()]


def of(rows: "pd.DataFrame", name: str) -> "pd.DataFrame":
    """Rows of one representation."""
    return rows[rows["representation"] == name]


def entries(names: Iterable[str]) -> list[Entry]:
    """Entries of representations, drawn as solid lines with their markers."""
    return [Entry(label, Style(s.color, s.marker)) for label, s in (LOOKS[n] for n in names)]
