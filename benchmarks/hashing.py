"""Hash networks on manifolds: training, and one-shot episodes, against what a user would write.

One thread each, one seed: as in the workflow, where jobs stand side by side.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.neighbors import NearestNeighbors

from neuralcodes.manifolds import invariance, manifolddata
from neuralcodes.networks.training.loop import Training
from neuralcodes.studies import hashruns

PROJECT = Path(__file__).parents[1]
STEPS = 200
SHAPE, WAY, EPISODES, QUERIES = (1000, 20, 128), 100, 200, 5


def run(repeats: int = 3) -> list[dict[str, object]]:
    """Measure both.

    Args:
        repeats: of which the median is taken.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    rows = [_training(repeats), _one_shot(repeats)]
    torch.set_num_threads(threads)
    return rows


def _training(repeats: int) -> dict[str, object]:
    plan = hashruns.from_mapping({**hashruns.DEFAULTS, "dataset": "manifolds", "steps": STEPS})
    data = manifolddata.TrainingPoints.of(plan, [0], None, torch.device("cpu"))
    plain, ours = [], []
    for _ in range(repeats):
        plain.append(_seconds(lambda: _plain_training(plan, data)))
        ours.append(_seconds(lambda: Training(plan, [0], data, data.classes).finish()))
    return _row(
        "training, 1,000 manifolds, width 2,000, ms a step",
        "nn.Sequential and torch.optim.AdamW as they come",
        *(1000 * statistics.median(each) / STEPS for each in (plain, ours)),
    )


def _plain_training(plan: hashruns.HashRun, data: manifolddata.TrainingPoints) -> None:
    points, labels = data.batch(torch.arange(data.examples)[None])[0], data.labels[0]
    first = torch.nn.Linear(points.shape[1], plan.width, bias=False).requires_grad_(False)
    hashing = torch.nn.Linear(plan.width, plan.hash_width)
    output = torch.nn.Linear(plan.hash_width, data.classes)
    model = torch.nn.Sequential(first, torch.nn.ReLU(), hashing, output)
    groups = [
        {"params": [hashing.weight, output.weight], "weight_decay": plan.weight_decay},
        {"params": [hashing.bias, output.bias], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=plan.learning_rate)
    criterion = torch.nn.CrossEntropyLoss()
    for rows in torch.randperm(data.examples)[: STEPS * plan.batch_size].split(plan.batch_size):
        optimiser.zero_grad()
        criterion(model(points[rows]), labels[rows]).backward()
        optimiser.step()


def _one_shot(repeats: int) -> dict[str, object]:
    representations = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    centre = representations.mean((0, 1))
    plain, ours = [], []
    for _ in range(repeats):
        plain.append(_seconds(lambda: _plain_one_shot(representations, centre)))
        ours.append(
            _seconds(
                lambda: invariance.one_shot_accuracy(
                    representations, WAY, EPISODES, 0, centre, QUERIES
                )
            )
        )
    return _row(
        f"one-shot, {WAY}-way, {EPISODES} episodes, s",
        "scikit-learn's nearest neighbour by cosine, episode by episode",
        statistics.median(plain),
        statistics.median(ours),
    )


def _plain_one_shot(representations: np.ndarray, centre: np.ndarray) -> float:
    generator, scores = np.random.default_rng(0), []
    for _ in range(EPISODES):
        chosen = generator.choice(len(representations), WAY, replace=False)
        points = np.stack(
            [generator.choice(representations.shape[1], 1 + QUERIES, replace=False) for _ in chosen]
        )
        drawn = representations[chosen[:, None], points] - centre
        nearest = NearestNeighbors(n_neighbors=1, metric="cosine").fit(drawn[:, 0])
        found = nearest.kneighbors(drawn[:, 1:].reshape(WAY * QUERIES, -1), return_distance=False)
        scores.append((found[:, 0] == np.repeat(np.arange(WAY), QUERIES)).mean())
    return float(np.mean(scores))


def _seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _row(name: str, baseline: str, plain: float, ours: float) -> dict[str, object]:
    return {
        "benchmark": name,
        "baseline": baseline,
        "baseline_time": plain,
        "ours_time": ours,
        "ratio": plain / ours,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    print(json.dumps(run(parser.parse_args().repeats), indent=2))
