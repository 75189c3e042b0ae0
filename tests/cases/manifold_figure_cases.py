"""Summaries of manifolds to draw, each point's mean given."""

import numpy as np
import pandas as pd
from figure_cases import point
from scipy.stats import t

from neuralcodes.studies import tables

SPREAD = (-0.01, 0.0, 0.01)  # of the seeds around their mean, as a share of it
HALF_INTERVAL = float(t.ppf(0.975, 2) * 0.01 / np.sqrt(3))  # as a share of the mean


def summary_of_rows(rows, **common):
    """Summarize three seeds of each row, a mapping with at least metric and value."""
    usual = {"study": "s", "dataset": "d", "run": "r", **point(2000), "split": "unseen"}
    table = pd.DataFrame(
        {**usual, "position": np.nan, **common, **row}
        | {"seed": seed, "value": row["value"] * (1 + share)}
        for row in rows
        for seed, share in enumerate(SPREAD)
    )
    return tables.summarize(table)


def drawn_by(line):
    return dict(zip(line.get_xdata().tolist(), line.get_ydata().tolist(), strict=True))


def heights_of(band):
    heights = band.get_paths()[0].vertices[:, 1]
    return heights.min(), heights.max()
