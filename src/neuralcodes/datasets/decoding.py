"""From raw files to arrays: official sources, folders of images, .npz files; nothing is trusted."""

import io
from pathlib import Path, PurePosixPath

import numpy as np

from neuralcodes.datasets import archives, sources
from neuralcodes.datasets.sources import Arrays
from neuralcodes.errors import DataError

SPLITS = ("train", "test")

_DIGITS_TEST_EXAMPLES = 360  # a fifth of 1,797; 1,437 train
_MOST_CLASSES = 65_536  # larger labels are no class numbers


def decode(source: str, raw_directory: Path) -> tuple[dict[str, Arrays], tuple[str, ...], int]:
    """Verify and decode raw files.

    Args:
        source: one of `datasets.SOURCES`.
        raw_directory: filled by `sources.fetch`.

    Returns:
        For train and test: inputs uint8 (n, height, width, channels) or float32 (n, features), and
        labels int64 (n,); the names of the classes; what inputs are divided by.

    Raises:
        DataError: a raw file is missing, changed, damaged, unsafe or inconsistent.
    """
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
    images: dict[str, dict[tuple[str, ...], np.ndarray]] = {split: {} for split in SPLITS}
    first = None
    for name, content in archives.image_members(path):
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
    found = {split: {label for label, _ in images[split]} for split in SPLITS}
    classes = tuple(sorted(found["train"] | found["test"]))
    if not classes or found["train"] != found["test"]:
        raise DataError(
            f"{path}: expected the same classes in train/{{class}}/ and test/{{class}}/, found "
            f"{sorted(found['train'])} and {sorted(found['test'])}; add the missing images"
        )
    return {split: _shuffled(images[split], classes) for split in SPLITS}, classes


def _read_image(path: Path, name: str, content: bytes) -> np.ndarray:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
            mode, array = image.mode, np.asarray(image)
    except Exception as error:  # Pillow fails in many ways on what is none
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
    keys = [f"{axis}_{split}" for split in SPLITS for axis in "xy"]
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            raw = {key: archive[key] for key in keys}
    except Exception as error:  # NumPy fails in many ways on what is none
        raise DataError(
            f"{path}: expected an .npz file of {', '.join(keys)}, without pickled objects; found "
            f"{type(error).__name__}: {error}; save it anew"
        ) from error
    arrays = {}
    for split in SPLITS:
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
