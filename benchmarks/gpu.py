"""Model-epochs per second on a GPU: our ensemble against plain PyTorch loops and against the CPU.

    PYTHONPATH=src python benchmarks/gpu.py --output gpu.csv
    PYTHONPATH=src python benchmarks/gpu.py --device cpu --examples 2000 --seeds 2 --members 0

The network is he2021's for MNIST: one hidden layer with batch norm, Adam, batches of 64. Data are
MNIST where NEURALCODES_DATA_MIRROR has it, random images of that shape elsewhere.
"""

import argparse
import csv
import gzip
import os
import platform
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
import training as side_by_side
from torch.utils.data import DataLoader, TensorDataset

from neuralcodes.networks.training.loop import Training
from neuralcodes.networks.training.trainingdata import TrainingData
from neuralcodes.storage import jobs
from neuralcodes.studies import runs

BATCH = 64
# model-epochs of the paper's MNIST widths, ten seeds, where none stops early, of 48,000 examples
SWEEP = 23 * 10 * 200
COLUMNS = (
    *("benchmark", "device", "torch", "data", "examples", "width", "members", "epochs"),
    *("s_per_epoch", "model_epochs_per_s", "ratio"),
)


def main() -> None:
    """Measure everything, print a table, write it if asked to."""
    asked = _arguments()
    if asked.deterministic:
        os.environ[jobs.DETERMINISTIC_VARIABLE] = "1"
    device = jobs.start_torch(asked.threads, asked.device)
    source, inputs, labels = _data(asked.examples)
    print(f"{source}, {len(labels)} examples, width {asked.width}, batches of {BATCH}")
    rows = []
    for name, where, members, epochs, epoch in _cases(asked, device, inputs, labels):
        spent = _seconds(epoch, where, epochs)
        rate = members / spent
        rows.append(
            {
                "benchmark": name,
                "device": _name(where),
                "torch": torch.__version__,
                "data": source,
                "examples": len(labels),
                "width": asked.width,
                "members": members,
                "epochs": epochs,
                "s_per_epoch": spent,
                "model_epochs_per_s": rate,
                "ratio": rate / rows[0]["model_epochs_per_s"] if rows else 1.0,
            }
        )
        print(
            f"{name:42} {rows[-1]['device']:28} {members:4} members {spent:9.4f} s an epoch "
            f"{rate:9.2f} model-epochs/s {rows[-1]['ratio']:8.1f}x",
            flush=True,
        )
    best = max(row["model_epochs_per_s"] for row in rows) * len(labels) / 48000
    minutes = SWEEP / best / 60
    print(
        f"the paper's {SWEEP} model-epochs of 48000 examples, at this width: {minutes:.1f} minutes"
    )
    if asked.output:
        with asked.output.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--seeds", type=int, default=10, help="members of the ensemble")
    parser.add_argument("--members", type=int, default=230, help="of a wide ensemble; 0 for none")
    parser.add_argument("--width", type=int, default=100)
    parser.add_argument("--examples", type=int, default=48000, help="48000 are 750 steps an epoch")
    parser.add_argument("--epochs", type=int, default=5, help="of the ensembles; the median counts")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU, for the ensembles")
    parser.add_argument("--deterministic", action="store_true")
    parser.add_argument("--no-cpu", action="store_true", help="leave out our ensemble on the CPU")
    parser.add_argument("--output", type=Path, help="CSV file")
    return parser.parse_args()


Case = tuple[str, torch.device, int, int, Callable[[], None]]


def _cases(
    asked: argparse.Namespace, device: torch.device, inputs: np.ndarray, labels: np.ndarray
) -> Iterator[Case]:
    """Give name, device, members, epochs to time and the epoch itself of each benchmark."""
    values, target = torch.tensor(inputs).float() / 255, torch.tensor(labels)
    loader = DataLoader(TensorDataset(values, target), batch_size=BATCH, shuffle=True)
    sizes = [inputs.shape[1], asked.width]
    yield (
        *("plain loop, DataLoader", device, 1, 1),
        lambda: side_by_side.plain_epoch(loader, sizes, device),
    )
    here = values.to(device), target.to(device)

    def batches() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for rows in torch.randperm(len(target), device=device).split(BATCH):
            yield here[0][rows], here[1][rows]

    yield (
        *("plain loop, data on the device", device, 1, 1),
        lambda: side_by_side.plain_epoch(batches(), sizes, device),
    )
    cuda, cpu = device.type == "cuda", torch.device("cpu")
    cases = [("ours", device, asked.seeds, {})]
    if cuda:
        cases.append(("ours, step by step without graphs", device, asked.seeds, {"lean": False}))
        cases.append(("ours, tf32", device, asked.seeds, {"tf32": True}))
    if asked.members:
        cases.append(("ours", device, asked.members, {}))
    if asked.members and cuda:
        cases.append(("ours, tf32", device, asked.members, {"tf32": True}))
    if cuda and not asked.no_cpu:
        cases.append(("ours", cpu, asked.seeds, {}))
    for name, where, members, how in cases:
        epoch = _ensemble(asked.width, members, inputs, labels, where, **how)
        yield name, where, members, asked.epochs if where == device else 1, epoch


def _ensemble(
    width: int,
    members: int,
    inputs: np.ndarray,
    labels: np.ndarray,
    device: torch.device,
    tf32: bool = False,
    lean: bool | None = None,
) -> Callable[[], None]:
    recipe = {**side_by_side.RECIPE, "dataset": "mnist", "width": width, "batch_size": BATCH}
    run, seeds = runs.from_mapping({**recipe, "tf32": tf32, "epochs": 10**6}), range(members)
    data = TrainingData.of(run, seeds, inputs, labels, 255.0, device)
    return Training(run, seeds, data, 10, lean=lean).advance


def _seconds(epoch: Callable[[], None], device: torch.device, epochs: int) -> float:
    """Time an epoch, after two that load kernels and record graphs; the median of some."""
    for _ in range(2 if device.type == "cuda" else 1):
        epoch()
    spent = []
    for _ in range(epochs):
        _wait(device)
        start = time.perf_counter()
        epoch()
        _wait(device)
        spent.append(time.perf_counter() - start)
    return float(np.median(spent))


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.machine()}, {torch.get_num_threads()} thread(s)"


def _data(examples: int) -> tuple[str, np.ndarray, np.ndarray]:
    """Give where the data are from, uint8 images (examples, 784) and int64 labels."""
    folder = Path(os.environ.get("NEURALCODES_DATA_MIRROR") or "none") / "mnist"
    if (folder / "train-images-idx3-ubyte.gz").is_file():
        images = _idx(folder / "train-images-idx3-ubyte.gz", 16).reshape(-1, 784)
        labels = _idx(folder / "train-labels-idx1-ubyte.gz", 8).astype(np.int64)
        return "MNIST", images[:examples], labels[:examples]
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (examples, 784), dtype=np.uint8)
    return "random images", images, generator.integers(0, 10, examples)


def _idx(path: Path, header: int) -> np.ndarray:
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header)


if __name__ == "__main__":
    main()
