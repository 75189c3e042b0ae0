"""Study summaries to draw, and questions to ask of the figures drawn from them."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.legend import Legend

from neuralcodes.figures import static
from neuralcodes.studies import tables

ROOT = Path(__file__).parents[2]
STYLE = ROOT / "config" / "figures.mplstyle"
PUBLISHED = ROOT / "resources" / "published"
SERIES = (
    ("redundancy_ratio", "train"),
    ("redundancy_ratio", "test"),
    ("kmeans_accuracy", "train"),
    ("kmeans_accuracy", "test"),
    ("knn_accuracy", "test"),
    ("logistic_regression_accuracy", "test"),
    ("test_accuracy", "test"),
)

static.use_style(STYLE)


def point(width=40, epoch="final", sample_size=48000, depth=1, **factors):
    return {
        "depth": depth,
        "width": width * depth,
        "width_per_layer": width,
        "sample_size": sample_size,
        "epoch": str(epoch),
        **factors,
    }


def summary_of(points, seeds=3, series=SERIES):
    generator = np.random.default_rng(5)
    rows = [
        {"study": "s", "dataset": "mnist", "run": "r", **each, "seed": seed}
        | {"split": split, "metric": metric, "value": generator.uniform(0.2, 0.8)}
        for each in points
        for metric, split in series
        for seed in range(seeds)
    ]
    return tables.summarize(pd.DataFrame(rows))


def means(summary, x, **where):
    for name, value in where.items():
        summary = summary[summary[name] == value]
    if x == "epoch":
        summary = summary[summary["epoch"] != "final"].astype({"epoch": float})
    return summary.sort_values(x)["mean"].tolist()


def drawn_axes(figure):
    """Axes that are shown, but for colour bars."""
    return [axes for axes in figure.axes if axes.axison and axes.get_label() != "<colorbar>"]


def lines_of(axes, label):
    return [line for line in axes.lines if line.get_label() == label]


def legend_texts(figure):
    return [text.get_text() for legend in figure.findobj(Legend) for text in legend.get_texts()]
