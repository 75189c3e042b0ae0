"""A small study of every kind of figure: its settings, and a summary whose means are known."""

import itertools

import numpy as np
import pandas as pd
from figure_cases import point

from neuralcodes.figures import kinds
from neuralcodes.studies import tables

SPREAD = (-0.001, 0.0, 0.001)  # of the seeds around their mean
CODES = ("redundancy_ratio", "knn_accuracy")
BASE = {"weight_decay": 0.0, "dropout": 0.0, "batch_norm": True}
REPRESENTATIONS = ("input", "untrained", "trained")


def summarized(rows, seeds=SPREAD, **common):
    """Summarize rows, mappings with metric, split and value, over seeds around the value."""
    usual = {"study": "s", "dataset": "mnist", "run": "r", **point(), "split": "test", **common}
    return tables.summarize(
        pd.DataFrame(
            {**usual, **row, "seed": seed, "value": row["value"] + off}
            for row in rows
            for seed, off in enumerate(seeds)
        )
    )


def along(x, values, metrics, **common):
    """Rows of test metrics along a factor: one value of each metric per value of x."""
    return [
        {**common, x: at, "metric": metric, "value": value}
        for at, each in values.items()
        for metric, value in zip(metrics, each, strict=True)
    ]


def widths(values, **common):
    """Rows of a study of widths."""
    rows = along("width_per_layer", values, CODES, **common)
    return [{**row, "width": row["width_per_layer"]} for row in rows]


def epochs(values, **common):
    """Rows of a study of training times."""
    return along("epoch", {str(epoch): each for epoch, each in values.items()}, CODES, **common)


def layers():
    """Rows of a deep network, layers from 0 on."""
    return [
        {**row, "width_per_layer": width}
        for width in (50, 100)
        for row in along("layer", {0: (0.5, 0.6), 1: (0.3, 0.7), 2: (0.1, 0.9)}, CODES)
    ]


def random_inputs():
    """Rows of real and of random inputs."""
    values = {"test": (0.5, 0.1), "train": (0.6, 0.2), "uniform_0_1": (0.7, 0.7)}
    return [
        {"metric": "redundancy_ratio", "split": split, "epoch": epoch, "value": value}
        for split, both in values.items()
        for epoch, value in zip(("0", "10"), both, strict=True)
    ]


def one_at_a_time():
    """Rows of a base point and of what leaves it: dropout does most, weight decay nothing."""
    moved = {(): (0.1, 0.8), ("weight_decay", 0.1): (0.1, 0.8), ("dropout", 0.5): (0.6, 0.9)}
    moved[("batch_norm", False)] = (0.3, 0.8)
    return [
        {**BASE, **dict([move] if move else []), "metric": metric, "value": value}
        for move, values in moved.items()
        for metric, value in zip(CODES, values, strict=True)
    ]


def regions(median=(4.0, 2.0)):
    """Rows of sizes of regions."""
    sizes = {"median": median, "q05": (1.0, 0.5), "q95": (9.0, np.inf)}
    return [
        {"metric": f"region_size_{name}", "split": split, "epoch": epoch, "value": value}
        for split in ("train", "test")
        for name, both in sizes.items()
        for epoch, value in zip(("0", "10"), both, strict=True)
    ]


def phases():
    """Rows of a phase chart with all three regimes."""
    return [
        {"width_per_layer": width, "epoch": epoch, "sample_size": size, "metric": metric}
        | {"value": value}
        for epoch, size in itertools.product(("1", "10"), (100, 1000))
        for width, values in {10: (0.9, 0.5), 20: (0.2, 0.8), 40: (0.005, 0.95)}.items()
        for metric, value in zip(CODES, values, strict=True)
    ]


LEVELS = {
    "none": {0.0: (0.9, 0.9)},
    "scale": {0.01: (0.3, 0.2), 0.1: (0.895, 0.8), 1.0: (0.9, 0.9), 10.0: (0.9, 0.895)},
    "clip": {0.1: (0.5, 0.4), 0.5: (0.9, 0.7), 1.0: (0.9, 0.9), 10.0: (0.9, 0.9)},
    "offset": {-0.5: (0.6, 0.5), -0.1: (0.91, 0.8), 0.1: (0.895, 0.9), 0.5: (0.7, 0.1)},
    "scale_per_unit": {0.1: (0.5, 0.5), 1.0: (0.88, 0.86)},
    "equal_scale": {-0.5: (0.9, 0.9), 0.5: (0.9, 0.9)},
    "equal_offset": {-0.5: (0.8, 0.6), 0.5: (0.7, 0.3)},
    "equal_clip": {-0.5: (0.85, 0.8)},
}


def perturbed(series=(("train_accuracy", "train"), ("test_accuracy", "test")), **common):
    """Rows of perturbed networks; values are of ReLU and of Abs."""
    return [
        {"activation": activation, "perturbation": kind, "level": level, "metric": metric}
        | {"split": split, "value": value, **common}
        for metric, split in series
        for kind, levels in LEVELS.items()
        for level, values in levels.items()
        for activation, value in zip(("relu", "abs"), values, strict=True)
    ]


def perturbed_codes():
    """Rows of perturbed codes."""
    series = ("flipped_bits", "redundancy_ratio", "knn_accuracy", "knn_accuracy_unperturbed_train")
    return perturbed([(metric, "test") for metric in series])


def training():
    """Rows of a history: errors of 0.5, 0.05 and 0.01 with ReLU, of twice as much with Abs."""
    return [
        {"activation": activation, "epoch": str(epoch), "split": "train", "metric": metric}
        | {"value": 1 - times * error if metric == "train_accuracy" else 3 * times * error}
        for activation, times in (("relu", 1), ("abs", 2))
        for epoch, error in ((1, 0.45), (10, 0.05), (5000, 0.004))
        for metric in ("train_accuracy", "train_loss")
    ]


def preactivations():
    """Rows of four units, with the densities of two of them."""
    values = {"active_share": (0.0, 0.4, 0.6, 1.0), "quantile_50": (-2.0, -0.5, 0.5, 2.5)}
    for name, off in (("05", -1.0), ("25", -0.5), ("75", 0.5), ("95", 1.0)):
        values[f"quantile_{name}"] = tuple(value + off for value in values["quantile_50"])
    rows = [
        {"activation": "relu", "unit": unit, "position": np.nan, "metric": metric}
        | {"split": "train", "value": value}
        for metric, each in values.items()
        for unit, value in enumerate(each)
    ]
    return rows + [
        {"activation": "relu", "unit": unit, "position": at, "metric": "density"}
        | {"split": "train", "value": value}
        for unit, heights in ((0, (0.4, 0.1, 0.0)), (3, (0.0, 0.1, 0.2)))
        for at, value in zip((-1.5, 0.5, 1.5), heights, strict=True)
    ]


def manifolds(x="manifolds", places=(10, 100), **common):
    """Rows of a sweep of manifolds."""
    values = {
        "variance_ratio": {"input": (1.0, 1.0), "untrained": (0.9, 0.9), "trained": (0.5, 0.2)},
        "one_shot_accuracy_20": {"untrained": (0.1, 0.1), "trained": (0.4, 0.95)},
    }
    return [
        {"split": "unseen", "representation": name, "metric": metric, x: at, **common}
        | {"value": value}
        for metric, of_metric in values.items()
        for name, both in of_metric.items()
        for at, value in zip(places, both, strict=True)
    ]


def similarities():
    """Rows of a curve of locality, with buckets."""
    cosines = {
        "input": (0.0, 0.01, 0.0),
        "untrained": (0.1, 0.05, 0.0),
        "trained": (0.9, 0.5, -0.8),
    }
    rows = [
        {"split": "unseen", "representation": name, "metric": "lsh_cosine", "position": at}
        | {"value": value}
        for name, values in cosines.items()
        for at, value in zip((0.0, 1.0, 2.0), values, strict=True)
    ]
    for name, pairs in {"trained": ((0.9, 0.5), (0.4, 0.02)), "input": ((0.5, 0.5),)}.items():
        for bits, pair in zip((1, 8), pairs, strict=False):
            rows += [
                {"split": "unseen", "representation": name, "position": float(bits)}
                | {"metric": metric, "value": value}
                for metric, value in zip(("bucket_intra", "bucket_inter"), pair, strict=True)
            ]
    return rows


def densities():
    """Rows of distances of pairs: apart when trained, the same on the input."""
    shapes = {"trained": ((5.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 5.0)), "input": ((1.25,) * 4,) * 2}
    return [
        {"split": "unseen", "representation": name, "position": at, "value": value}
        | {"metric": f"distance_density_{kind}"}
        for name, both in shapes.items()
        for kind, values in zip(("intra", "inter"), both, strict=True)
        for at, value in zip((0.1, 0.3, 0.5, 0.7), values, strict=True)
    ]


def embedded():
    """Rows of an embedding: manifolds are points when trained, and one cloud on the input."""
    rows = []
    for name, (manifold, place) in itertools.product(
        ("input", "trained"), itertools.product(range(3), range(2))
    ):
        one = {"split": "unseen", "representation": name, "member": 0, "manifold": manifold}
        one |= {"position": place}
        near = 10.0 * manifold + 0.1 * place if name == "trained" else 10.0 * place + 0.1 * manifold
        rows.append({**one, "metric": "component_1", "value": near})
        rows.append({**one, "metric": "component_2", "value": 0.0})
    return rows


def retrieved():
    """Rows of retrieval."""
    values = {
        "network_code": {"recall_at_1": (0.5, 0.9), "bytes_per_item": (2, 8)},
        "simhash": {"recall_at_1": (0.2, 0.3), "bytes_per_item": (2, 8)},
        "exact": {"recall_at_1": (1.0, 1.0), "bytes_per_item": (256, 256)},
    }
    return [
        {"split": "unseen", "hash_width": bits, "method": method, "metric": metric, "value": value}
        for method, metrics in values.items()
        for metric, both in metrics.items()
        for bits, value in zip((16, 64), both, strict=True)
    ]


def recipes():
    """Rows of two recipes; the first is as published, see `PUBLISHED_WIDTHS`."""
    return [
        {**row, "recipe": recipe, "value": row["value"] + off, "sample_size": 48000}
        for recipe, off in (("he2021", 0.0), ("other", 0.1))
        for row in widths({10: (0.8, 0.4), 40: (0.1, 0.8)})
    ]


PUBLISHED_WIDTHS = pd.DataFrame(
    [
        {"width_per_layer": width, "epoch": "final", "sample_size": np.nan, "split": "test"}
        | {"metric": metric, "value": value, "reading_error": 0.001, "split_status": "printed"}
        for width, values in {10: (0.8, 0.4), 40: (0.1, 0.8)}.items()
        for metric, value in zip(CODES, values, strict=True)
    ]
)
WIDTHS = {10: (0.8, 0.4), 20: (0.3, 0.6), 40: (0.0, 0.9), 80: (0.0, 0.908)}

# kind -> figure's settings, factors of the study, rows, published values
CASES = {
    "curves": ({"x": "width_per_layer"}, (), widths(WIDTHS), PUBLISHED_WIDTHS),
    "layers": ({}, (), layers(), None),
    "random_inputs": ({"x": "epoch"}, (), random_inputs(), None),
    "one_at_a_time": ({}, tuple(BASE), one_at_a_time(), None),
    "regions": ({"x": "epoch"}, (), regions(), None),
    "recipe_recovery": ({}, (), recipes(), PUBLISHED_WIDTHS),
    "phase_chart": ({}, (), phases(), None),
    "perturbations": ({}, (), perturbed(), None),
    "equal_change": ({}, (), perturbed(), None),
    "perturbed_codes": ({}, (), perturbed_codes(), None),
    "training": ({}, (), training(), None),
    "preactivations": ({}, (), preactivations(), None),
    "manifold_sweep": ({"x": "manifolds"}, (), manifolds(), None),
    "lsh_curve": ({}, (), similarities(), None),
    "manifold_distances": ({}, (), densities(), None),
    "manifold_embedding": ({}, (), embedded(), None),
    "retrieval": ({"x": "hash_width"}, (), retrieved(), None),
}


def chart_of(kind, summary, published=None, factors=(), **figure):
    """The Chart of a summary under figure settings."""
    declared = kinds.get(kind)
    return declared.chart(declared.spec("A study", figure, factors), summary, published)


def case(kind, seeds=SPREAD):
    """Chart and summary of the study of a kind."""
    figure, factors, rows, published = CASES[kind]
    summary = summarized(rows, seeds)
    return chart_of(kind, summary, published, factors, **figure), summary


def curve(chart, label, panel=0):
    """The curve of a label in a panel, by its number."""
    panels = list(chart.each_panel())
    (found,) = (each for each in panels[panel].curves if each.label == label)
    return found
