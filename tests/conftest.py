"""Fixtures of all tests: one thread, small runs, small data."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from neuralcodes.datasets import prepared
from neuralcodes.manifolds.manifolddata import TrainingPoints
from neuralcodes.networks.training import resume, statefiles
from neuralcodes.networks.training.loop import Training
from neuralcodes.networks.training.trainingdata import TrainingData
from neuralcodes.studies import hashruns, runs

ROOT = Path(__file__).parents[1]
SMALL = {"dataset": "toy", "depth": 1, "width": 6, "batch_size": 8, "epochs": 2}
SMALL_HASH = {
    **{"dataset": "manifolds", "gamma_dim": 3, "manifolds": 6, "points": 5, "width": 30},
    **{"hash_width": 8, "steps": 20, "warmup_steps": 5, "batch_size": 10},
}


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def make_run() -> Callable[..., runs.Run]:
    """Build a small run: the defaults, a small network, and what the test changes."""

    def build(**changes: object) -> runs.Run:
        return runs.from_mapping({**runs.DEFAULTS, **SMALL, **changes})

    return build


@pytest.fixture(scope="session")
def make_hash_run() -> Callable[..., hashruns.HashRun]:
    """Build a small run of hash networks: the defaults and what the test changes."""

    def build(**changes: object) -> hashruns.HashRun:
        return hashruns.from_mapping({**hashruns.DEFAULTS, **SMALL_HASH, **changes})

    return build


@pytest.fixture(scope="session")
def images() -> tuple[np.ndarray, np.ndarray]:
    """57 images of 4 x 3 pixels, uint8, in three classes that a network can learn."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, 57)
    inputs = generator.integers(0, 256, (57, 4, 3))
    inputs[np.arange(57), labels] = 255 - inputs[np.arange(57), labels] // 4
    return inputs.astype(np.uint8), labels


@pytest.fixture(scope="session")
def make_training(
    images: tuple[np.ndarray, np.ndarray],
) -> Callable[..., Training]:
    """Start training a run on the images."""

    def build(run: runs.Run, seeds: list[int], checkpoints: tuple[str, ...] = ()) -> Training:
        data = TrainingData.of(run, seeds, *images, maximum=255)
        return Training(run, seeds, data, 3, (*checkpoints, "final"))

    return build


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory, images: tuple[np.ndarray, np.ndarray]) -> Path:
    """Folder of a prepared dataset: the images train, the last 17 test."""
    folder = tmp_path_factory.mktemp("data")
    inputs, labels = images
    arrays = {"x_train": inputs, "y_train": labels, "x_test": inputs[40:], "y_test": labels[40:]}
    np.savez(folder / "toy.npz", **arrays)
    spec = prepared.DatasetSpec("toy", "npz", str(folder / "toy.npz"))
    prepared.fetch(spec, folder / "raw", None)
    prepared.prepare(spec, folder / "raw", folder / "toy")
    return folder / "toy"


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a prepared dataset of 60 and 30 small random images in three classes."""
    folder = tmp_path_factory.mktemp("pictures")
    generator = np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 60), ("test", 30)):
        arrays[f"x_{split}"] = generator.integers(0, 256, (count, 8, 8), dtype=np.uint8)
        arrays[f"y_{split}"] = np.arange(count) % 3
    arrays["x_test"][4] = arrays["x_train"][7]  # a copy, both of class 1
    np.savez(folder / "pictures.npz", **arrays)
    spec = prepared.DatasetSpec("pictures", "npz", str(folder / "pictures.npz"))
    prepared.fetch(spec, folder / "raw", None)
    prepared.prepare(spec, folder / "raw", folder / "pictures")
    return folder / "pictures"


@pytest.fixture(scope="session")
def train_hash(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Train hash networks of some seeds and give their model file."""

    def build(run: hashruns.HashRun, seeds: list[int], data: Path | None = None) -> Path:
        cpu = torch.device("cpu")
        model = tmp_path_factory.mktemp("results") / "models" / run.id / "seeds.safetensors"
        points = TrainingPoints.of(run, seeds, data, cpu)
        files = (model, model.with_suffix(".csv"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(statefiles.signal, "signal", lambda *_: None)
            resume.train_on_steps(run, seeds, points, *files, "code", points.facts)
        return model

    return build
