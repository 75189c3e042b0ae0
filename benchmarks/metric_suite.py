"""Measures of one network's codes: this library beside scikit-learn as the released code calls it.

Run with `python benchmarks/metric_metrics.py [repeats]`. The codes are those of a network trained
for five epochs on MNIST, where NEURALCODES_DATA_MIRROR names a folder with its files, and on
synthetic classes of the same size otherwise. Both sides use as many threads as they are given
(OMP_NUM_THREADS). Ours is the median of the repeats; the released way runs once, and its K-NN on
the first test codes only, scaled up, since its time is proportional to their number.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsOneClassifier
from sklearn.neighbors import KNeighborsClassifier

from neuralcodes import metrics
from neuralcodes.codes import packed
from neuralcodes.datasets import prepared as datasets

WIDTHS = (40, 100)
TRAIN, TEST = 48_000, 10_000
KNN_ROWS = 1000
# Linux hands a process's peak down to its children, save in VmHWM, which begins anew.
PEAK = """
import pathlib, re, resource, sys
import numpy as np
from neuralcodes import metrics
splits = np.load(sys.argv[1])
metrics.measure(splits["train"], splits["test"], int(sys.argv[2]), splits["labels"], splits["own"])
if pathlib.Path("/proc/self/status").exists():
    status = pathlib.Path("/proc/self/status").read_text()
    print(int(re.search("VmHWM:.* ([0-9]+) kB", status)[1]) / 2**10)
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak / (2**20 if sys.platform == "darwin" else 2**10))
"""


def run(repeats: int = 3) -> list[dict]:
    """Time every measure at both widths.

    Returns:
        One record per width and measure: units, metric, ours_s, released_s, ratio, and the value
        on both sides; the record of the whole suite also has the size of the codes, in bytes, and
        our peak memory, in MiB.
    """
    inputs, labels, source = _data()
    return [
        record for width in WIDTHS for record in _compare(inputs, labels, source, width, repeats)
    ]


def _compare(inputs: list, labels: list, source: str, units: int, repeats: int) -> list[dict]:
    train, test = _encode(inputs, labels, units)
    splits = (train, labels[0], test, labels[1])
    ours, released = _ours(*splits, units), _released(*splits, units)
    records = []
    for name, measure in ours.items():
        timed = [_timed(measure) for _ in range(repeats)]
        (reference, share), released_s = _timed(released[name])
        records.append(
            {
                "units": units,
                "metric": name,
                "ours_s": statistics.median(seconds for _, seconds in timed),
                "released_s": released_s / share,
                "ours": timed[0][0],
                "released": reference,
            }
        )
        if name == "K-NN":
            records[-1]["same_rows"] = metrics.knn_accuracy(
                train, labels[0], test[:KNN_ROWS], labels[1][:KNN_ROWS]
            )
    whole = {"units": units, "metric": "whole suite", "source": source}
    whole |= {key: sum(record[key] for record in records) for key in ("ours_s", "released_s")}
    whole |= {"packed_bytes": train.nbytes + test.nbytes, "int8_bytes": units * (TRAIN + TEST)}
    whole["peak_mib"] = _peak_memory(*splits, units)
    return [
        record | {"ratio": record["released_s"] / record["ours_s"]} for record in [*records, whole]
    ]


def _ours(train, labels, test, own, units) -> dict[str, Callable]:
    splits = (train, labels, test, own)
    both = ((train, labels), (test, own))
    return {
        "redundancy": lambda: [metrics.redundancy_ratio(each) for each, _ in both],
        "K-Means": lambda: [metrics.kmeans_accuracy(x, units, y, 10) for x, y in both],
        "K-NN": lambda: [metrics.knn_accuracy(*splits)],
        "logistic regression": lambda: [metrics.logistic_regression_accuracy(*splits, units)],
    }


def _released(train, labels, test, own, units) -> dict[str, Callable]:
    """Each measure as a call that gives its values and the share of the work that was done."""
    a, b = (packed.unpack(each, units).astype(np.int8) for each in (train, test))

    def kmeans(values, classes):
        found = KMeans(10, n_init=10, random_state=9).fit(values)
        return metrics.clustering_accuracy(found.labels_, classes)

    def knn():
        model = KNeighborsClassifier(9, metric="hamming", algorithm="brute").fit(a, labels)
        return [model.score(b[:KNN_ROWS], own[:KNN_ROWS])], KNN_ROWS / len(b)

    def regression():
        model = OneVsOneClassifier(LogisticRegression(C=1, solver="liblinear", random_state=9))
        return [model.fit(a, labels).score(b, own)], 1

    return {
        "redundancy": lambda: ([1 - len(np.unique(x, axis=0)) / len(x) for x in (a, b)], 1),
        "K-Means": lambda: ([kmeans(a, labels), kmeans(b, own)], 1),
        "K-NN": knn,
        "logistic regression": regression,
    }


def _data() -> tuple[list[torch.Tensor], list[np.ndarray], str]:
    mirror = datasets.mirror_from_environment()
    if mirror is None:
        return _synthetic()
    with tempfile.TemporaryDirectory() as folder:
        spec, prepared = datasets.DatasetSpec("mnist", "mnist"), Path(folder) / "mnist"
        datasets.fetch(spec, Path(folder) / "raw", mirror)
        datasets.prepare(spec, Path(folder) / "raw", prepared)
        loaded = [datasets.load("mnist", Path(folder), split) for split in ("train", "test")]
        kept = [
            (np.array(x[:n]), np.array(y[:n]))
            for (x, y), n in zip(loaded, (TRAIN, TEST), strict=True)
        ]
    return (
        [torch.from_numpy(x).flatten(1).float() / 255 for x, _ in kept],
        [y for _, y in kept],
        "MNIST",
    )


def _synthetic() -> tuple[list[torch.Tensor], list[np.ndarray], str]:
    """Ten classes of four clusters each, which vary along a few directions."""
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(40, 100))
    directions = generator.normal(size=(40, 12, 100)) / 2
    clusters = [generator.integers(0, 40, n) for n in (TRAIN, TEST)]
    inputs = [
        centres[c] + np.einsum("nd,ndf->nf", generator.normal(size=(len(c), 12)), directions[c])
        for c in clusters
    ]
    return [torch.from_numpy(x).float() for x in inputs], [c % 10 for c in clusters], "synthetic"


def _encode(inputs: list, labels: list, width: int) -> list[np.ndarray]:
    torch.manual_seed(0)
    features = inputs[0].shape[1]
    model = torch.nn.Sequential(
        torch.nn.Linear(features, width),
        torch.nn.BatchNorm1d(width),
        torch.nn.ReLU(),
        torch.nn.Linear(width, 10),
    )
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimiser, 0.3)
    targets = torch.from_numpy(labels[0])
    for _ in range(5):
        for batch in torch.randperm(TRAIN).split(256):
            optimiser.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(inputs[0][batch]), targets[batch])
            loss.backward()
            optimiser.step()
        schedule.step()
    return [packed.activation_code(model, each)[0] for each in inputs]


def _peak_memory(train, labels, test, own, units) -> float:
    """Peak memory, in MiB, of a fresh process that measures everything."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "splits.npz"
        np.savez(path, train=train, labels=labels, test=test, own=own)
        command = [sys.executable, "-c", PEAK, str(path), str(units)]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _timed(function: Callable) -> tuple:
    start = time.perf_counter()
    result = function()
    return result, time.perf_counter() - start


def _values(values: list[float] | None) -> str:
    return " ".join(f"{value:.4f}" for value in values or [])


def main() -> None:
    """Print the table."""
    records = run(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
    print(f"{TRAIN} train and {TEST} test codes; released K-NN on {KNN_ROWS} test codes, scaled up")
    print(f"{'units':>5}  {'measure':20} {'ours s':>8} {'released s':>10} {'ratio':>6}  values")
    for r in records:
        values = f"{_values(r.get('ours'))} | {_values(r.get('released'))}"
        if "same_rows" in r:
            values += f" ({r['same_rows']:.4f} by ours on the same codes)"
        if "source" in r:
            values = (
                f"{r['source']}; codes {r['packed_bytes'] / 1e6:.2f} MB, as int8 "
                f"{r['int8_bytes'] / 1e6:.2f} MB; peak memory {r['peak_mib']:.0f} MiB"
            )
        print(
            f"{r['units']:5}  {r['metric']:20} {r['ours_s']:8.3f} {r['released_s']:10.3f} "
            f"{r['ratio']:5.1f}x  {values}"
        )


if __name__ == "__main__":
    main()
