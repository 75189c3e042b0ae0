"""Prepared datasets: one folder of plain .npy files each, whatever the source looked like."""

import io
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np

from neuralcodes import jobs, sources
from neuralcodes.errors import DataError

SOURCES = ("digits", *sources.OFFICIAL, "image_folder", "npz")

Arrays = tuple[np.ndarray, np.ndarray]
Split = Literal["train", "test"]

_NEED_A_PATH = ("image_folder", "npz")
_SPLITS: tuple[Split, ...] = ("train", "test")
_INFO = "dataset.json"
_REBUILD = "rebuild it with: snakemake --cores 1 --forcerun prepare_data"
_UNREADABLE = (*sources.DAMAGED, LookupError, TypeError, ValueError)
_DIGITS_TEST_EXAMPLES = 360  # a fifth of 1,797; 1,437 train
_MOST_CLASSES = 65_536  # larger labels are no class numbers


@dataclass(frozen=True)
class DatasetSpec:
    """Which data to prepare.

    Attributes:
        name: the prepared dataset's name, which is its folder's.
        source: one of `SOURCES`.
        path: of image_folder and npz: absolute, or relative to the working directory or mirror.

    Raises:
        DataError: the source is unknown, or a path is missing or not wanted.
    """

    name: str
    source: str
    path: str | None = None

    def __post_init__(self) -> None:
        if self.source not in SOURCES:
            known = ", ".join(SOURCES)
            raise DataError(f"dataset {self.name}: source {self.source} is none of {known}")
        if (self.path is not None) != (self.source in _NEED_A_PATH):
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
    """Obtain and verify the raw files of a dataset; see `sources.fetch`."""
    return sources.fetch(spec.source, spec.path, Path(raw_directory), mirror)


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
    arrays, classes, maximum = _decode(spec.source, Path(raw_directory))
    checksums, shapes = {}, {}
    for split in _SPLITS:
        for kind, array in zip(("inputs", "labels"), arrays[split], strict=True):
            stem = f"{split}-{kind}"
            path = directory / f"{stem}.npy"
            with jobs.atomic(path) as temporary, temporary.open("wb") as file:
                np.save(file, np.ascontiguousarray(array), allow_pickle=False)
            checksums[stem], shapes[stem] = sources.checksum(path), list(array.shape)
    info = {"name": spec.name, "source": spec.source, "classes": classes, "maximum": maximum}
    info |= {"checksums": checksums, "shapes": shapes}
    with jobs.atomic(directory / _INFO) as temporary:
        temporary.write_text(json.dumps(info, indent=2) + "\n", encoding="utf-8")


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
    """
    dataset = Path(directory) / name
    if not (dataset / _INFO).is_file():
        if name not in SOURCES or name in _NEED_A_PATH:
            raise DataError(
                f"{dataset} holds no prepared dataset; prepare it with datasets.fetch and "
                "datasets.prepare, or name it in the configuration and run the workflow"
            )
        spec = DatasetSpec(name, name)
        fetch(spec, dataset / "raw", mirror_from_environment())
        prepare(spec, dataset / "raw", dataset)
    return _load(dataset, split)


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
        DataError: the file is missing or incomplete.
    """
    path = Path(directory_of_dataset) / _INFO
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return DatasetInfo(
            **{key: content[key] for key in ("name", "source", "maximum")},
            classes=tuple(content["classes"]),
            examples={split: content["shapes"][f"{split}-labels"][0] for split in _SPLITS},
            shape=tuple(content["shapes"]["train-inputs"][1:]),
        )
    except _UNREADABLE as error:
        raise DataError(f"{path} is missing or damaged ({error!r}); {_REBUILD}") from error


def _load(directory: Path, split: Split) -> Arrays:
    if split not in _SPLITS:
        raise ValueError(f"split must be train or test; got {split!r}")
    info = describe(directory)
    shape = (info.examples[split], *info.shape)
    inputs = _read_array(directory / f"{split}-inputs.npy", shape, "r")
    return inputs, _read_array(directory / f"{split}-labels.npy", shape[:1], None)


def _read_array(path: Path, shape: tuple[int, ...], mmap_mode: Literal["r"] | None) -> np.ndarray:
    try:
        array = np.load(path, mmap_mode=mmap_mode, allow_pickle=False)
        found = f"shape {array.shape}"
    except (OSError, ValueError, EOFError, AttributeError) as error:
        array, found = None, f"{type(error).__name__}: {error}"
    if array is None or array.shape != shape:
        raise DataError(f"{path}: expected an array of shape {shape}, found {found}; {_REBUILD}")
    return array


def _decode(source: str, raw_directory: Path) -> tuple[dict[str, Arrays], tuple[str, ...], int]:
    files = sources.verified(source, raw_directory)
    if source == "digits":
        return _read_digits(), tuple(str(digit) for digit in range(10)), 16
    if source == "image_folder":
        return *_read_image_folder(files[0]), 255
    if source == "npz":
        return _read_npz(files[0])
    return *sources.read_official(source, files), 255


def _read_digits() -> dict[str, Arrays]:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    images, labels = digits.images.astype(np.uint8)[..., None], digits.target.astype(np.int64)
    options = {"test_size": _DIGITS_TEST_EXAMPLES, "random_state": 0, "stratify": labels}
    train, test, train_labels, test_labels = train_test_split(images, labels, **options)
    return {"train": (train, train_labels), "test": (test, test_labels)}


def _read_image_folder(path: Path) -> tuple[dict[str, Arrays], tuple[str, ...]]:
    images: dict[str, dict[tuple[str, ...], np.ndarray]] = {split: {} for split in _SPLITS}
    first = None
    for name, content in sources.image_members(path):
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if len(parts) != 3 or parts[0] not in images:
            raise DataError(
                f"{path}: the image {name} is not at {{train,test}}/{{class}}/{{image}}; move it"
            )
        image = _read_image(path, name, content)
        first = first or (name, image.shape)
        if image.shape != first[1]:
            raise DataError(
                f"{path}: the image {name} has (height, width, channels) {image.shape}, expected "
                f"{first[1]} as {first[0]}; bring all images to one size and mode"
            )
        images[parts[0]][parts[1:]] = image
    found = {split: {label for label, _ in images[split]} for split in _SPLITS}
    classes = tuple(sorted(found["train"] | found["test"]))
    if not classes or found["train"] != found["test"]:
        raise DataError(
            f"{path}: expected the same classes in train/{{class}}/ and test/{{class}}/, found "
            f"{sorted(found['train'])} and {sorted(found['test'])}; add the missing images"
        )
    return {split: _shuffled(images[split], classes) for split in _SPLITS}, classes


def _read_image(path: Path, name: str, content: bytes) -> np.ndarray:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
            mode, array = image.mode, np.asarray(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: the image {name} is damaged ({error}); copy it again") from error
    if mode not in ("L", "RGB"):
        raise DataError(
            f"{path}: the image {name} has mode {mode}, expected L (8-bit grey) or RGB; convert it"
        )
    return array[..., None] if mode == "L" else array


def _shuffled(images: dict[tuple[str, ...], np.ndarray], classes: tuple[str, ...]) -> Arrays:
    # Studies train on the first n examples and validate on the last fifth: in the folders' order,
    # class by class, these would miss whole classes. Sorting first makes a folder and an archive
    # of it give the same arrays.
    names = sorted(images)
    order = np.random.default_rng(0).permutation(len(names))
    label_of = {label: index for index, label in enumerate(classes)}
    inputs = np.stack([images[names[i]] for i in order])
    return inputs, np.array([label_of[names[i][0]] for i in order], dtype=np.int64)


def _read_npz(path: Path) -> tuple[dict[str, Arrays], tuple[str, ...], int]:
    keys = [f"{axis}_{split}" for split in _SPLITS for axis in "xy"]
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            raw = {key: archive[key] for key in keys}
    except _UNREADABLE as error:
        raise DataError(
            f"{path}: expected an .npz file of {', '.join(keys)}, without pickled objects; found "
            f"{type(error).__name__}: {error}; save it anew"
        ) from error
    arrays = {}
    for split in _SPLITS:
        inputs = _npz_inputs(path, f"x_{split}", raw[f"x_{split}"])
        arrays[split] = inputs, _npz_labels(path, f"y_{split}", raw[f"y_{split}"], len(inputs))
    kinds = [f"{inputs.dtype} {inputs.shape[1:]}" for inputs, _ in arrays.values()]
    if kinds[0] != kinds[1]:
        raise DataError(
            f"{path}: examples of x_train are {kinds[0]}, of x_test {kinds[1]}: unequal"
        )
    classes = 1 + max(int(labels.max()) for _, labels in arrays.values())
    names = tuple(str(label) for label in range(classes))
    return arrays, names, 255 if kinds[0].startswith("uint8") else 1


def _npz_inputs(path: Path, key: str, inputs: np.ndarray) -> np.ndarray:
    if inputs.dtype == np.uint8 and inputs.ndim in (3, 4) and inputs.size:
        return inputs[..., None] if inputs.ndim == 3 else inputs
    if inputs.dtype not in (np.float32, np.float64) or inputs.ndim != 2 or not inputs.size:
        raise DataError(
            f"{path}: {key} is {inputs.dtype} of shape {inputs.shape}, expected uint8 (n, h, w), "
            "uint8 (n, h, w, c) or float32 or float64 (n, features), not empty"
        )
    with np.errstate(over="ignore"):
        inputs = inputs.astype(np.float32)
    if not np.isfinite(inputs).all():
        raise DataError(f"{path}: {key} has NaN or values infinite in float32; remove them")
    return inputs


def _npz_labels(path: Path, key: str, labels: np.ndarray, examples: int) -> np.ndarray:
    fits = labels.shape in ((examples,), (examples, 1)) and labels.dtype.kind in "iu"
    if not fits or labels.min() < 0 or labels.max() >= _MOST_CLASSES:
        values = f"{labels.min()}..{labels.max()}" if fits else "some values"
        raise DataError(
            f"{path}: {key} is {labels.dtype} of shape {labels.shape} with {values}, expected one "
            f"integer of 0..{_MOST_CLASSES - 1} for each of the {examples} examples of x"
        )
    return labels.reshape(examples).astype(np.int64)
