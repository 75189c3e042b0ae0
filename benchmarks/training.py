"""Model-epochs per second: our ensemble against a plain PyTorch loop, one seed after the other.

Ours runs as the workflow runs it on two cores: two jobs of one thread, five seeds each. The plain
loop has both cores to itself.
"""

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

from neuralcodes.networks.training import loop, trainingdata
from neuralcodes.studies import runs

PROJECT = Path(__file__).parents[1]
RECIPE = {**runs.DEFAULTS, "patience": 0, "validation_fraction": 0.0}
# name -> (dataset, depth, width, features, training examples, ratio to reach)
CASES = {
    "MNIST, width 100": ("mnist", 1, 100, 784, 48000, 6.0),
    "CIFAR-10, depth 5, width 200": ("cifar10", 5, 200, 3072, 40000, 4.0),
}
SEEDS, JOBS = 10, 2


def run(repeats: int = 3) -> list[dict[str, object]]:
    """Measure both cases.

    Args:
        repeats: of which the median is taken.
    """
    rows = []
    for name, (_, depth, width, features, examples, goal) in CASES.items():
        inputs, labels = _data(features, examples)
        plain, ours = [], []
        for _ in range(repeats):
            plain.append(_plain_epoch(inputs, labels, depth, width))
            ours.append(_ensemble_epoch(name))
        baseline, ensemble = statistics.median(plain), statistics.median(ours)
        rows.append(
            {
                "benchmark": f"training, {name}, {SEEDS} seeds",
                "baseline": "nn.Module, DataLoader over tensors in memory, one seed at a time",
                "baseline_s_per_model_epoch": baseline,
                "ours_s_per_model_epoch": ensemble,
                "ratio": baseline / ensemble,
                "goal": goal,
            }
        )
    return rows


def _data(features: int, examples: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    inputs = generator.integers(0, 256, (examples, features), dtype=np.uint8)
    return inputs, generator.integers(0, 10, examples)


def plain_epoch(
    batches: Iterable[tuple[torch.Tensor, torch.Tensor]],
    sizes: Sequence[int],
    device: torch.device | str = "cpu",
) -> None:
    """Train one seed for one epoch as anyone would write it.

    Args:
        batches: inputs and labels of each step.
        sizes: features and units of each hidden layer.
        device: where to train.
    """
    layers = []
    for below, above in itertools.pairwise(sizes):
        layers += [torch.nn.Linear(below, above), torch.nn.BatchNorm1d(above), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers, torch.nn.Linear(sizes[-1], 10)).to(device)
    kernels = [layer.weight for layer in layers if isinstance(layer, torch.nn.Linear)]
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    criterion = torch.nn.CrossEntropyLoss()
    for batch, target in batches:
        optimiser.zero_grad()
        penalty = 1e-6 * sum(kernel.square().sum() for kernel in kernels)
        loss = criterion(model(batch.to(device)), target.to(device)) + penalty
        loss.backward()
        optimiser.step()


def _plain_epoch(inputs: np.ndarray, labels: np.ndarray, depth: int, width: int) -> float:
    torch.set_num_threads(JOBS)
    dataset = TensorDataset(torch.tensor(inputs).float() / 255, torch.tensor(labels))
    loader = DataLoader(dataset, batch_size=64, shuffle=True)
    start = time.perf_counter()
    plain_epoch(loader, [inputs.shape[1], *[width // depth] * depth])
    return time.perf_counter() - start


def _ensemble_epoch(case: str) -> float:
    """Seconds per model-epoch of two jobs side by side."""
    command = [sys.executable, __file__, "--job", case]
    jobs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(JOBS)]
    spent = [json.loads(job.communicate()[0]) for job in jobs]
    return max(spent) / SEEDS


def _job(case: str) -> float:
    dataset, depth, width, features, examples, _ = CASES[case]
    torch.set_num_threads(1)
    plan = runs.from_mapping({**RECIPE, "dataset": dataset, "depth": depth, "width": width})
    seeds = list(range(SEEDS // JOBS))
    data = trainingdata.TrainingData.of(plan, seeds, *_data(features, examples), 255.0)
    ensemble = loop.Training(plan, seeds, data, 10)
    ensemble.advance()
    start = time.perf_counter()
    ensemble.advance()
    ensemble.advance()
    return (time.perf_counter() - start) / 2


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--job", choices=CASES, help=argparse.SUPPRESS)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    print(json.dumps(_job(arguments.job) if arguments.job else run(arguments.repeats)))
