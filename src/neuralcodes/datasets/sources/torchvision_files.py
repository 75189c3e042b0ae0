"""Sources that torchvision knows: their addresses, MD5s, class names and readers are its own."""

import tarfile
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np

from neuralcodes.datasets import torchvision_ops
from neuralcodes.datasets.sources.declaration import Decoded, OfficialFile, Source


def idx_source(name: str, dataset: str, label: str, training_examples: int) -> Source:
    """Declare a source of four files in MNIST's format.

    Args:
        name: in the configuration.
        dataset: torchvision's name.
        label: name in texts.
        training_examples: in its training file.
    """
    return _source(name, dataset, label, training_examples, _idx_files, _decode_idx)


def cifar_source(name: str, dataset: str, label: str, training_examples: int) -> Source:
    """Declare a source of one archive of pickles, as CIFAR's are; see `idx_source`.

    Reading a pickle can run code: its official checksum must have been verified.
    """
    return _source(name, dataset, label, training_examples, _cifar_files, _decode_cifar)


def svhn_source(name: str, dataset: str, label: str, training_examples: int) -> Source:
    """Declare a source of a .mat file a split, as SVHN's are; see `idx_source`."""
    return _source(name, dataset, label, training_examples, _svhn_files, _decode_svhn)


def _source(
    name: str,
    dataset: str,
    label: str,
    training_examples: int,
    files: Callable[[str], list[OfficialFile]],
    decode: Callable[[str, list[Path]], Decoded],
) -> Source:
    return Source(
        name=name,
        decode=partial(decode, dataset),
        label=label,
        training_examples=training_examples,
        files=partial(files, dataset),
        folders=(name, dataset.lower(), f"{dataset}/raw", dataset),
    )


def _datasets() -> ModuleType:
    return torchvision_ops.import_torchvision().datasets


def _idx_files(dataset: str) -> list[OfficialFile]:
    known = getattr(_datasets(), dataset)
    return [
        OfficialFile(name, tuple(f"{mirror}{name}" for mirror in known.mirrors), md5)
        for name, md5 in known.resources
    ]


def _decode_idx(dataset: str, files: list[Path]) -> Decoded:
    known = getattr(_datasets(), dataset)
    with tempfile.TemporaryDirectory() as root:
        raw = Path(root, dataset, "raw")
        raw.mkdir(parents=True)
        for file in files:
            _datasets().utils.extract_archive(str(file), str(raw))
        parts = {split: known(root, train=split == "train") for split in ("train", "test")}
    arrays = {s: (p.data.numpy()[..., None], p.targets.numpy()) for s, p in parts.items()}
    return Decoded(arrays, tuple(parts["train"].classes))


def _cifar_files(dataset: str) -> list[OfficialFile]:
    known = getattr(_datasets(), dataset)
    return [OfficialFile(known.filename, (known.url,), known.tgz_md5)]


def _decode_cifar(dataset: str, files: list[Path]) -> Decoded:
    known = getattr(_datasets(), dataset)
    with tempfile.TemporaryDirectory() as root:
        with tarfile.open(files[0]) as archive:
            archive.extractall(root, filter="data")
        parts = {split: known(root, train=split == "train") for split in ("train", "test")}
    arrays = {split: (p.data, np.array(p.targets)) for split, p in parts.items()}
    return Decoded(arrays, tuple(parts["train"].classes))


def _svhn_files(dataset: str) -> list[OfficialFile]:
    known = getattr(_datasets(), dataset)
    listed = [known.split_list[split] for split in ("train", "test")]
    return [OfficialFile(name, (url,), md5) for url, name, md5 in listed]


def _decode_svhn(dataset: str, files: list[Path]) -> Decoded:
    known = getattr(_datasets(), dataset)
    parts = {split: known(files[0].parent, split=split) for split in ("train", "test")}
    arrays = {split: (p.data.transpose(0, 2, 3, 1), p.labels) for split, p in parts.items()}
    return Decoded(arrays, tuple(str(digit) for digit in range(10)))
