"""Own arrays, in an .npz file of x_train, y_train, x_test and y_test."""

from pathlib import Path

import numpy as np

from neuralcodes.datasets.sources.declaration import SPLITS, Decoded, Source
from neuralcodes.errors import DataError

_MOST_CLASSES = 65_536  # larger labels are no class numbers


def _decode(files: list[Path]) -> Decoded:
    path = files[0]
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
    return Decoded(arrays, names, maximum=255 if kinds[0].startswith("uint8") else 1)


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


SOURCE = Source(name="npz", decode=_decode, label="own arrays", needs_path=True)
