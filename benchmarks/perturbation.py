"""oursland2024: the perturbation sweep against a whole pass per level, and full-batch training.

Ours runs as the workflow runs it on two cores, two jobs of one thread side by side: a network each
in the sweep, five seeds each in training. The baselines have both cores to themselves.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from neuralcodes.networks import perceptrons
from neuralcodes.networks.training import loop, trainingdata
from neuralcodes.perturbation import kinds, sweeps
from neuralcodes.pipeline.configuration import names
from neuralcodes.studies import levels, runs

PROJECT = Path(__file__).parents[1]
RECIPE = yaml.safe_load((PROJECT / "config/recipes.yaml").read_text())["oursland2024"]
EXAMPLES, FEATURES, UNITS, CLASSES = 60_000, 784, 128, 10
SEEDS, JOBS = 10, 2
# forward and kernel gradient of the hidden layer; forward, kernel and input gradient of the output
OPERATIONS = 2 * EXAMPLES * UNITS * (2 * FEATURES + 3 * CLASSES)
SWEEP_GOAL, PEAK_GOAL = 12.0, 0.55


def run(repeats: int = 3) -> list[dict[str, object]]:
    """Measure both.

    Args:
        repeats: of which the median is taken.
    """
    return [_sweep(repeats), _training(repeats)]


def _data() -> tuple[np.ndarray, np.ndarray]:
    """Bytes of which a fifth are not 0, as in MNIST."""
    generator = np.random.default_rng(0)
    inputs = generator.integers(0, 256, (EXAMPLES, FEATURES), dtype=np.uint8)
    inputs *= generator.random((EXAMPLES, FEATURES)) < 0.19
    return inputs, generator.integers(0, CLASSES, EXAMPLES)


def _sweep(repeats: int) -> dict[str, object]:
    whole, ours = [], []
    for _ in range(repeats):
        results = _side_by_side("sweep")
        ours.append(max(each["spent"] for each in results) / JOBS)
        spent_on_passes, expected = _whole_passes()
        whole.append(spent_on_passes)
    found = np.array(results[0]["correct"])
    baseline, spent = statistics.median(whole), statistics.median(ours)
    return {
        "benchmark": f"sweep of {len(found)} levels, {EXAMPLES:,} examples, one network",
        "baseline": "a whole forward pass per level, as the released script",
        "baseline_s": baseline,
        "ours_s": spent,
        "ratio": baseline / spent,
        "goal": SWEEP_GOAL,
        "levels_that_differ": int((found != expected).sum()),
        "largest_difference_in_correct_examples": int(np.abs(found - expected).max()),
    }


def _sweep_job() -> dict[str, object]:
    """Sweep one network."""
    torch.set_num_threads(1)
    network, inputs, labels, plan = _case()
    start = time.perf_counter()
    correct = sweeps.respond(network, inputs, labels, plan).correct
    return {"spent": time.perf_counter() - start, "correct": correct.tolist()}


def _case() -> tuple[torch.nn.Sequential, torch.Tensor, np.ndarray, kinds.Coefficients]:
    stored, labels = _data()
    inputs = torch.tensor(stored, dtype=torch.float32)
    shape = perceptrons.Shape(FEATURES, (UNITS,), CLASSES, "relu", batch_norm=False)
    network = perceptrons.initialise(shape, [0], "torch_default").member(0)
    ranges = sweeps.activation_range(network, inputs)
    parts = [
        kinds.coefficients(kind, levels.expand(grid, (kind,)), *ranges)
        for kind, grid in names.levels("levels").items()
    ]
    return network, inputs, labels, kinds.Coefficients.joined(parts)


@torch.no_grad()
def _whole_passes() -> tuple[float, np.ndarray]:
    torch.set_num_threads(JOBS)
    network, inputs, labels, plan = _case()
    target, layer = torch.tensor(labels), sweeps.PerturbedLayer(UNITS)
    model = torch.nn.Sequential(network[0], layer, *network[1:]).eval()
    correct = np.zeros(len(plan), np.int64)
    start = time.perf_counter()
    for i in range(len(plan)):
        layer.set(plan[i : i + 1])
        correct[i] = (model(inputs).argmax(1) == target).sum().item()
    return time.perf_counter() - start, correct


def _training(repeats: int) -> dict[str, object]:
    stored, labels = _data()
    plain, ours, peaks = [], [], []
    for _ in range(repeats):
        plain.append(_plain_epoch(stored, labels))
        ours.append(max(_side_by_side("epoch")) / SEEDS)
        peaks.append(JOBS / max(_side_by_side("peak")))
    baseline, ensemble = statistics.median(plain), statistics.median(ours)
    return {
        "benchmark": f"full-batch training, MNIST size, width {UNITS}, {SEEDS} seeds",
        "baseline": "nn.Module and torch.optim.SGD, one network at a time",
        "baseline_epochs_per_s": 1 / baseline,
        "ours_epochs_per_s": 1 / ensemble,
        "ratio": baseline / ensemble,
        "peak_gflop_per_s": max(peaks),
        "share_of_peak": OPERATIONS / ensemble / 1e9 / max(peaks),
        "baseline_share_of_peak": OPERATIONS / baseline / 1e9 / max(peaks),
        "goal_share_of_peak": PEAK_GOAL,
    }


def _plain_epoch(stored: np.ndarray, labels: np.ndarray) -> float:
    torch.set_num_threads(JOBS)
    inputs, target = torch.tensor(stored, dtype=torch.float32), torch.tensor(labels)
    model = torch.nn.Sequential(
        torch.nn.Linear(FEATURES, UNITS), torch.nn.ReLU(), torch.nn.Linear(UNITS, CLASSES)
    )
    optimiser = torch.optim.SGD(model.parameters(), lr=RECIPE["learning_rate"])
    spent = []
    for _ in range(4):
        start = time.perf_counter()
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(inputs), target)
        loss.backward()
        optimiser.step()
        spent.append(time.perf_counter() - start)
    return statistics.median(spent[1:])


def _side_by_side(job: str) -> list[Any]:
    """Results of two jobs that run at the same time."""
    command = [sys.executable, __file__, "--job", job]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(JOBS)]
    return [json.loads(each.communicate()[0]) for each in started]


def _epoch() -> float:
    """Seconds per epoch of one job's ensemble."""
    torch.set_num_threads(1)
    plan = runs.from_mapping({**runs.DEFAULTS, **RECIPE, "dataset": "mnist"})
    seeds = list(range(SEEDS // JOBS))
    data = trainingdata.TrainingData.of(plan, seeds, *_data(), 255.0)
    ensemble = loop.Training(plan, seeds, data, CLASSES)
    ensemble.advance()
    start = time.perf_counter()
    ensemble.advance()
    ensemble.advance()
    return (time.perf_counter() - start) / 2


def _peak() -> float:
    """Seconds per 1e9 float32 operations, of the faster library torch has for large products."""
    torch.set_num_threads(1)
    size = 2048
    left, right = torch.rand(size, size), torch.rand(size, size)
    linear = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
    candidates = [lambda: left @ right]
    if linear is not None:
        candidates.append(lambda: linear(left, right, None, "none", [], ""))
    spent = []
    for product in candidates:
        for _ in range(8):
            start = time.perf_counter()
            product()
            spent.append(time.perf_counter() - start)
    return min(spent) / (2 * size**3 / 1e9)


JOB_OF_NAME = {"sweep": _sweep_job, "epoch": _epoch, "peak": _peak}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--job", choices=JOB_OF_NAME, help=argparse.SUPPRESS)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.job:
        print(json.dumps(JOB_OF_NAME[arguments.job]()))
    else:
        print(json.dumps(run(arguments.repeats), indent=1))
