"""Long tables to explore, and questions to ask of the charts made from them."""

import itertools

import numpy as np
import pandas as pd
from figure_cases import SERIES, point

from neuralcodes.figures import explorer
from neuralcodes.studies import tables

ACCURACIES = (("train_accuracy", "train"), ("test_accuracy", "test"))
CODES = (
    *(("flipped_bits", split) for split in ("train", "test")),
    *(("redundancy_ratio", split) for split in ("train", "test")),
    *(("knn_accuracy", "test"), ("knn_accuracy_unperturbed_train", "test")),
)
LEVELS = {
    "scale": (0.1, 1.0, 10.0),
    "clip": (0.1, 1.0),
    "offset": (-0.5, -0.1, -0.05, 0.05, 0.1, 0.5),
}
EQUAL = {"equal_scale": (-0.5, 0.5), "equal_offset": (-0.5, 0.5), "equal_clip": (0.5,)}
REPRESENTATIONS = ("input", "untrained", "trained")


def table_of(rows, seeds=3, low=0.2, high=0.8):
    """A long table: every row once per seed, a run per condition, values at random."""
    generator = np.random.default_rng(11)
    usual = {"study": "s", "dataset": "digits", **point(16), "epoch": "final"}
    names = itertools.count()
    runs: dict[tuple, str] = {}
    told_apart = (
        "width",
        "depth",
        "sample_size",
        "activation",
        "manifolds",
        "hash_width",
        "recipe",
    )
    made = []
    for row in rows:
        whole = {**usual, **row}
        key = tuple(str(whole.get(name)) for name in told_apart)
        run = runs.setdefault(key, f"run{next(names)}" if key not in runs else "")
        made += [
            {**whole, "run": run, "seed": seed, "value": generator.uniform(low, high)}
            for seed in range(seeds)
        ]
    return pd.DataFrame(made)


def of_series(points, series=SERIES):
    return [
        {**each, "metric": metric, "split": split} for each in points for metric, split in series
    ]


def of_levels(levels=LEVELS, series=ACCURACIES, activations=("abs", "relu"), **factors):
    both = [("none", 0.0), *((kind, p) for kind, values in levels.items() for p in values)]
    return [
        {"activation": name, "perturbation": kind, "level": p, "metric": m, "split": s, **factors}
        for name in activations
        for kind, p in both
        for m, s in series
    ]


def of_epochs(epochs=(1, 10, 5000), **factors):
    series = (("train_accuracy", "train"), ("train_loss", "train"))
    return [
        {"activation": name, "epoch": str(epoch), "metric": m, "split": s, **factors}
        for name in ("relu", "abs")
        for epoch in epochs
        for m, s in series
    ]


def of_regions():
    names = ("q05", "q25", "median", "q75", "q95")
    return [
        {**point(width, epoch), "metric": f"region_size_{name}", "split": split}
        for width in (8, 16)
        for epoch in (0, 1, 10)
        for name in names
        for split in ("train", "test")
    ]


def of_units(units=4, positions=(-1.0, 0.0, 1.0)):
    quantiles = [f"quantile_{percent:02d}" for percent in (5, 25, 50, 75, 95)]
    return [
        {"activation": name, "unit": unit, "position": position, "metric": metric, "split": "train"}
        for name in ("relu", "abs")
        for unit in range(units)
        for metric, places in (
            *((metric, (np.nan,)) for metric in [*quantiles, "active_share"]),
            ("density", positions if unit in (0, 3) else ()),
        )
        for position in places
    ]


def of_manifolds(metrics=("variance_ratio", "one_shot_accuracy_20", "ridge_r2", "pair_auc")):
    return [
        {"manifolds": m, "weight_decay": decay, "representation": name, "metric": metric}
        | {"split": split}
        for m in (10, 100)
        for decay in (0, 3)
        for name in REPRESENTATIONS
        for metric in metrics
        for split in ("seen", "unseen")
    ]


def of_locality():
    metrics = {
        **dict.fromkeys(("lsh_cosine", "lsh_cosine_sd", "lsh_hamming"), (0.0, 1.0, 2.0)),
        **dict.fromkeys(("bucket_intra", "bucket_inter"), (1, 8)),
        **dict.fromkeys(("distance_density_intra", "distance_density_inter"), (0.1, 0.3, 0.5)),
    }
    return [
        {"representation": name, "metric": metric, "position": float(p), "split": "unseen"}
        for name in REPRESENTATIONS
        for metric, places in metrics.items()
        for p in places
    ]


def of_embedding(members=2):
    places = [
        {"representation": name, "member": member, "manifold": manifold, "position": position}
        | {"metric": f"component_{component}", "split": "unseen"}
        for name in REPRESENTATIONS
        for member in range(members)
        for manifold in range(3)
        for position in range(2)
        for component in (1, 2)
    ]
    shares = [
        {"representation": name, "member": member, "metric": "explained_variance"}
        | {"split": "unseen", "manifold": np.nan, "position": np.nan}
        for name in REPRESENTATIONS
        for member in range(members)
    ]
    return places + shares


def of_retrieval():
    metrics = ("recall_at_1", "recall_at_10", "queries_per_second", "bytes_per_item")
    return [
        {"hash_width": bits, "method": method, "metric": metric, "split": "unseen"}
        for bits in (16, 128)
        for method in ("network_code", "simhash", "exact")
        for metric in metrics
    ]


def explored(spec, table, published=None):
    """The chart of a table, and its summary."""
    summary = tables.summarize(table)
    return explorer.chart(spec, table, summary, published), summary


def places_of(chart, **texts):
    """Places of the points whose values have these texts."""
    names = {each["name"]: each for each in chart["dimensions"]}
    found = range(len(chart["points"]["x"]))
    for name, text in texts.items():
        at = chart["points"]["at"][list(names).index(name)]
        wanted = [value["text"] for value in names[name]["values"]].index(text)
        found = [i for i in found if at[i] == wanted]
    return list(found)


def column(chart, name, places):
    return [chart["points"][name][i] for i in places]


def texts_of(chart, name):
    (dimension,) = [each for each in chart["dimensions"] if each["name"] == name]
    return [value["text"] for value in dimension["values"]]
