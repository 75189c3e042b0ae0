"""Prepared datasets: one folder of plain .npy files each, whatever the source looked like."""

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from neuralcodes.datasets import obtaining, sources
from neuralcodes.datasets.sources.declaration import SPLITS, Arrays
from neuralcodes.errors import DataError
from neuralcodes.storage import arrays as arrayfiles
from neuralcodes.storage import checksums as integrity
from neuralcodes.storage import jobs

Split = Literal["train", "test"]

_INFO = "dataset.json"


@dataclass(frozen=True)
class DatasetSpec:
    """Which data to prepare.

    Attributes:
        name: the prepared dataset's name, which is its folder's.
        source: one of `sources.names`.
        path: of a source that needs one: absolute, or relative to the working directory or mirror.

    Raises:
        DataError: the source is unknown, or a path is missing or not wanted.
    """

    name: str
    source: str
    path: str | None = None

    def __post_init__(self) -> None:
        try:
            source = sources.get(self.source)
        except DataError as error:
            raise DataError(f"dataset {self.name}: {error}") from None
        if (self.path is not None) != source.needs_path:
            verb = "needs a path: add it" if self.path is None else "takes no path: remove it"
            raise DataError(f"dataset {self.name}: source {self.source} {verb}")


@dataclass(frozen=True)
class DatasetInfo:
    """What a prepared dataset contains.

    Attributes:
        name, source: as in its `DatasetSpec`.
        classes: the classes' names; label i belongs to `classes[i]`.
        maximum: inputs are divided by it: 255 for images, 16 for digits, 1 for features.
        examples: number of examples of "train" and "test".
        shape: of one example: (height, width, channels) or (features,).
    """

    name: str
    source: str
    classes: tuple[str, ...]
    maximum: int
    examples: dict[str, int]
    shape: tuple[int, ...]

    @property
    def features(self) -> int:
        """Numbers per example after flattening."""
        return math.prod(self.shape)


def mirror_from_environment() -> Path | None:
    """Directory named by the environment variable NEURALCODES_DATA_MIRROR, or None."""
    mirror = os.environ.get("NEURALCODES_DATA_MIRROR")
    return Path(mirror).expanduser() if mirror else None


def fetch(spec: DatasetSpec, raw_directory: Path, mirror: Path | None) -> list[Path]:
    """Obtain and verify the raw files of a dataset; see `obtaining.fetch`."""
    return obtaining.fetch(spec.source, spec.path, Path(raw_directory), mirror)


def prepare(spec: DatasetSpec, raw_directory: Path, directory: Path) -> None:
    """Verify and decode raw files; write {train,test}-{inputs,labels}.npy and dataset.json.

    Inputs become uint8 (n, height, width, channels) or float32 (n, features), labels int64 (n,).
    Each file is written atomically and dataset.json last: without it nothing is prepared.

    Args:
        spec: the dataset.
        raw_directory: filled by `fetch`.
        directory: receives the five files.

    Raises:
        DataError: a raw file is missing, changed, damaged, unsafe or inconsistent.
    """
    directory = Path(directory)
    (directory / _INFO).unlink(missing_ok=True)
    files = obtaining.verified(spec.source, Path(raw_directory))
    arrays, classes, maximum = sources.get(spec.source).decode(files)
    checksums, shapes = {}, {}
    for split in SPLITS:
        for kind, array in zip(("inputs", "labels"), arrays[split], strict=True):
            stem = f"{split}-{kind}"
            path = directory / f"{stem}.npy"
            arrayfiles.write(path, array)
            checksums[stem], shapes[stem] = integrity.checksum(path), list(array.shape)
    info = {"name": spec.name, "source": spec.source, "classes": classes, "maximum": maximum}
    info |= {"checksums": checksums, "shapes": shapes}
    info["checksum"] = integrity.checksum_of(info)
    with jobs.atomic(directory / _INFO) as temporary:
        temporary.write_text(_text(info), encoding="utf-8")


def load(name: str, directory: Path | str, split: Split) -> Arrays:
    """Load a dataset; one that needs no path is fetched and prepared first where it is missing.

    Args:
        name: the dataset's name.
        directory: the folder that holds the datasets' folders.
        split: "train" or "test".

    Returns:
        Inputs, memory-mapped, uint8 (n, height, width, channels) or float32 (n, features), and
        labels, int64 (n,).

    Raises:
        DataError: the dataset was not prepared and cannot be obtained, or a file is damaged.
        ValueError: `split` is something else.

    Example:
        >>> import tempfile
        >>> from neuralcodes import datasets
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     inputs, labels = datasets.load("digits", folder, "test")
        >>> inputs.shape, labels.shape
        ((360, 8, 8, 1), (360,))
    """
    dataset = Path(directory) / name
    if not (dataset / _INFO).is_file():
        if name not in sources.names() or sources.get(name).needs_path:
            raise DataError(
                f"{dataset} holds no prepared dataset; prepare it with datasets.fetch and "
                "datasets.prepare, or name it in the configuration and run the workflow"
            )
        spec = DatasetSpec(name, name)
        fetch(spec, dataset / "raw", mirror_from_environment())
        prepare(spec, dataset / "raw", dataset)
    return _load(dataset, split)


def load_labels(directory_of_dataset: Path | str, split: Split) -> np.ndarray:
    """Load the labels of a prepared dataset, and nothing of its inputs.

    Returns:
        int64 (n,).

    Raises:
        DataError: the dataset was not prepared, or a file is damaged.
        ValueError: `split` is something else.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be train or test; got {split!r}")
    directory = Path(directory_of_dataset)
    shape = (describe(directory).examples[split],)
    return np.array(_read_array(directory, f"{split}-labels", shape))


def load_features(directory_of_dataset: Path | str, split: Split) -> Arrays:
    """Load a prepared dataset as a network takes it.

    Returns:
        Features, float32 (n, features), divided by the maximum, and labels, int64 (n,).

    Raises:
        DataError: the dataset was not prepared, or a file is damaged.
        ValueError: `split` is something else.
    """
    inputs, labels = _load(Path(directory_of_dataset), split)
    return features(inputs, describe(directory_of_dataset).maximum), labels


def features(inputs: np.ndarray, maximum: float) -> np.ndarray:
    """Flatten inputs and divide them by their maximum.

    Args:
        inputs: (n, ...), any numeric type.
        maximum: positive; 255 brings 8-bit images to [0, 1].

    Returns:
        float32 (n, features).

    Raises:
        ValueError: `inputs` has no feature axis, or `maximum` is not positive.
    """
    if inputs.ndim < 2 or not maximum > 0:
        raise ValueError(
            "inputs must have shape (n, ...) with at least two axes and maximum be positive; "
            f"got shape {inputs.shape} and maximum {maximum}"
        )
    flat = inputs.reshape(len(inputs), math.prod(inputs.shape[1:]))
    return np.divide(flat, np.float32(maximum), dtype=np.float32, casting="unsafe")


def describe(directory_of_dataset: Path | str) -> DatasetInfo:
    """Read dataset.json of a prepared dataset.

    Raises:
        DataError: the file is missing or damaged.
    """
    return _described(Path(directory_of_dataset))[0]


def _described(directory: Path) -> tuple[DatasetInfo, dict[str, str]]:
    """Read what a prepared dataset contains, and the checksums of its arrays."""
    path = directory / _INFO
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
        if text != _text(content) or content.pop("checksum") != integrity.checksum_of(content):
            raise ValueError("it does not have its checksum")
        info = DatasetInfo(
            **{key: content[key] for key in ("name", "source", "maximum")},
            classes=tuple(content["classes"]),
            examples={split: content["shapes"][f"{split}-labels"][0] for split in SPLITS},
            shape=tuple(content["shapes"]["train-inputs"][1:]),
        )
        return info, dict(content["checksums"])
    except Exception as error:  # whatever a file that is not ours runs into
        raise DataError(
            f"{path} is missing or damaged ({error!r}); {_remedy(directory)}"
        ) from error


def _load(directory: Path, split: Split) -> Arrays:
    labels = load_labels(directory, split)
    shape = (len(labels), *describe(directory).shape)
    return _read_array(directory, f"{split}-inputs", shape), labels


def _read_array(directory: Path, stem: str, shape: tuple[int, ...]) -> np.ndarray:
    path, remedy = directory / f"{stem}.npy", _remedy(directory)
    integrity.verify(path, _described(directory)[1].get(stem), remedy)
    array = arrayfiles.read(path, remedy)
    if array.shape != shape:
        raise DataError(
            f"{path}: expected an array of shape {shape}, found shape {array.shape}; {remedy}"
        )
    return array


def _text(info: dict[str, Any]) -> str:
    return json.dumps(info, indent=2) + "\n"


def _remedy(directory: Path) -> str:
    if (directory / "raw").is_dir():  # as `load` leaves it, without the workflow
        return f"delete {directory / _INFO}, and datasets.load prepares it again"
    return integrity.rebuild(directory / _INFO)
