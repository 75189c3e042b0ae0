"""Neural codes: the packed sign pattern of a network's hidden units, and their files."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, overload

import numpy as np

from neuralcodes.errors import DataError
from neuralcodes.storage import arrays, checksums, jobs

if TYPE_CHECKING:
    import torch

BLOCK_BYTES = 32 * 2**20  # temporary memory of one block of rows; bounds wide codes


@dataclass(frozen=True)
class Layer:
    """One activation layer's place in a code.

    Attributes:
        layer: name of the activation.
        first_unit: index of its first unit in the code.
        units: number of its units.
    """

    layer: str
    first_unit: int
    units: int


@dataclass(frozen=True)
class Distinct:
    """The distinct rows of a matrix of packed codes.

    Attributes:
        first: intp (distinct,), the lowest row of each distinct code.
        inverse: intp (examples,), each row's distinct code.
        counts: int64 (distinct,), the rows of each distinct code.
    """

    first: np.ndarray
    inverse: np.ndarray
    counts: np.ndarray


@overload
def pack(bits: np.ndarray) -> np.ndarray: ...
@overload
def pack(bits: "torch.Tensor") -> "torch.Tensor": ...
def pack(bits: "np.ndarray | torch.Tensor") -> "np.ndarray | torch.Tensor":
    """Pack units into bits, eight to a byte, the first unit in the highest bit.

    Args:
        bits: bool, shape (..., units); a numpy array or a torch tensor on any device.

    Returns:
        uint8, shape (..., ceil(units / 8)), the last byte padded with zeros: a numpy array, or for
        a tensor a tensor on its device.

    Raises:
        ValueError: `bits` is not bool, or has no unit axis.

    Example:
        >>> import numpy as np
        >>> from neuralcodes import codes
        >>> codes.pack(np.array([[True, False, True]]))  # bits 1010 0000
        array([[160]], dtype=uint8)
    """
    tensor = not isinstance(bits, np.ndarray) and hasattr(bits, "new_zeros")
    bits = bits if tensor else np.asarray(bits)
    if not str(bits.dtype).endswith("bool") or bits.ndim == 0:
        raise ValueError(
            "bits must be bool of shape (..., units); "
            f"got {bits.dtype} of shape {tuple(bits.shape)}. Compare the activations: pack(x > 0)."
        )
    if tensor:
        from neuralcodes.codes import tracing

        return tracing.pack_tensor(cast("torch.Tensor", bits))
    return np.packbits(bits, axis=-1)


def unpack(packed: np.ndarray, units: int) -> np.ndarray:
    """Undo `pack`.

    Args:
        packed: uint8, shape (..., ceil(units / 8)).
        units: number of units, 0 or more.

    Returns:
        bool, shape (..., units).

    Raises:
        ValueError: `packed` is not uint8, or its last axis does not fit `units`.

    Example:
        >>> import numpy as np
        >>> from neuralcodes import codes
        >>> codes.unpack(np.array([[160]], np.uint8), units=3)
        array([[ True, False,  True]])
    """
    packed = np.asarray(packed)
    if packed.dtype != np.uint8 or packed.ndim == 0:
        raise ValueError(
            f"packed must be uint8 of shape (..., bytes); got {packed.dtype} of shape "
            f"{packed.shape}. Did you forget codes.pack()?"
        )
    _check_units(packed, units)
    return np.unpackbits(packed, axis=-1, count=units).view(bool)


def unpack_float(packed: np.ndarray, units: int) -> np.ndarray:
    """Units of a matrix of packed codes as float32 0 and 1, shape (examples, units)."""
    result = np.empty((len(packed), units), np.float32)
    for rows in row_blocks(len(packed), units):
        result[rows] = np.unpackbits(packed[rows], axis=1, count=units)
    return result


def check(packed: np.ndarray, units: int | None = None, name: str = "packed") -> np.ndarray:
    """Return `packed` where it is a matrix of packed codes with at least one example.

    Args:
        packed: uint8, shape (examples, bytes).
        units: where given, the number of units that the bytes must fit.
        name: how the message calls it.

    Raises:
        ValueError: it is anything else; says what was found.
    """
    packed = np.asarray(packed)
    if packed.dtype != np.uint8 or packed.ndim != 2 or len(packed) == 0:
        raise ValueError(
            f"{name} must be a non-empty uint8 matrix (examples, bytes); "
            f"got {packed.dtype} of shape {packed.shape}. Did you forget codes.pack()?"
        )
    if units is not None:
        _check_units(packed, units)
    return packed


def row_blocks(examples: int, bytes_per_example: int, limit: int = BLOCK_BYTES) -> Iterator[slice]:
    """Slices that cut `examples` rows into blocks of at most `limit` bytes (one row at least)."""
    rows = max(1, limit // max(1, bytes_per_example))
    for start in range(0, examples, rows):
        yield slice(start, min(start + rows, examples))


def distinct(packed: np.ndarray) -> Distinct:
    """Find the distinct codes, exactly.

    Args:
        packed: uint8, shape (examples, bytes).

    Returns:
        First rows, inverse and counts, the distinct codes in an arbitrary but fixed order.

    Raises:
        ValueError: `packed` is not a non-empty uint8 matrix.
    """
    packed = check(packed)
    examples, width = packed.shape
    if width == 0:
        return Distinct(np.zeros(1, np.intp), np.zeros(examples, np.intp), np.array([examples]))
    found = _distinct_of(_row_keys(packed))
    if width > 8 and not _same_rows(packed, found):
        # Two codes share a hash: sort the whole rows instead.
        found = _distinct_of(np.ascontiguousarray(packed).view(f"V{width}").ravel())
    return found


def activation_code(
    model: "torch.nn.Module", inputs: "np.ndarray | torch.Tensor", batch_size: int = 1024
) -> tuple[np.ndarray, list[Layer]]:
    """Encode inputs by the signs of a network's ReLU-like activations.

    Bit = 1 where the activation's output > 0; for the absolute value, whose output is hardly ever
    anything else, where its input > 0. Which activations count is told in `neuralcodes.tracing`.
    They are found while the network runs, as modules or as functions, in order of execution; one
    that runs twice counts twice. The network is evaluated without gradients and left as it was.

    Args:
        model: any network called with one tensor whose first axis is the examples.
        inputs: shape (examples, ...). Floats are converted to the network's own precision; each
            batch is moved to its device.
        batch_size: examples per batch.

    Returns:
        The packed codes, uint8 (examples, ceil(units / 8)), and the layers in order of execution.

    Raises:
        ValueError: no such activation runs, the activations differ between batches, there is no
            example, or `batch_size` is not positive.

    Source: He et al. 2021, arXiv:2101.05490, definition of the activation code.

    Example:
        >>> import torch
        >>> from neuralcodes import codes
        >>> network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())
        >>> network[0].weight.data, network[0].bias.data = torch.eye(2), torch.zeros(2)
        >>> packed, layers = codes.activation_code(network, torch.tensor([[1.0, -1.0]]))
        >>> codes.unpack(packed, units=2)
        array([[ True, False]])
        >>> layers
        [Layer(layer='1', first_unit=0, units=2)]
    """
    from neuralcodes.codes import tracing

    activations, packed = tracing.record(model, inputs, batch_size)
    layers, first = [], 0
    for name, units in activations:
        layers.append(Layer(name, first, units))
        first += units
    return packed, layers


def layer_code(packed: np.ndarray, layer: Layer) -> np.ndarray:
    """Cut one layer's code out of the whole code.

    Args:
        packed: uint8, shape (..., bytes).
        layer: which units.

    Returns:
        uint8, shape (..., ceil(layer.units / 8)); a view where the layer fills whole bytes.

    Raises:
        ValueError: the layer reaches beyond the code.
    """
    first, last = layer.first_unit, layer.first_unit + layer.units
    if first < 0 or layer.units < 0 or last > 8 * packed.shape[-1]:
        raise ValueError(
            f"layer {layer.layer!r} holds units {first} to {last - 1}, but the code has room for "
            f"{8 * packed.shape[-1]}; are these the layers of another network?"
        )
    shift, start, width = first % 8, first // 8, -(-layer.units // 8)
    cut = packed[..., start : start + width]
    if shift:
        cut = cut << shift
        following = packed[..., start + 1 : start + 1 + width] >> (8 - shift)
        cut[..., : following.shape[-1]] |= following
    padding = 8 * width - layer.units
    if padding:
        cut = np.array(cut)
        cut[..., -1] &= (0xFF << padding) & 0xFF
    return cut


def write(path: Path, packed: np.ndarray) -> None:
    """Write the codes of an ensemble, atomically.

    Args:
        path: the .npy file.
        packed: uint8, shape (seeds, examples, bytes).

    Raises:
        ValueError: another dtype or number of axes.
    """
    if packed.dtype != np.uint8 or packed.ndim != 3:
        raise ValueError(
            "packed must be uint8 of shape (seeds, examples, bytes); "
            f"got {packed.dtype} of shape {packed.shape}"
        )
    arrays.write(Path(path), packed)


def read(path: Path) -> np.ndarray:
    """Map the codes of an ensemble into memory, read-only.

    In a folder that the workflow encoded, the file must be as its listing of checksums says.

    Args:
        path: the .npy file.

    Returns:
        uint8, shape (seeds, examples, bytes).

    Raises:
        FileNotFoundError: there is no such file.
        DataError: the file is truncated or damaged, not a .npy file, or holds something else.
    """
    path = Path(path)
    checksums.verify_if_listed(path)
    remedy = _remedy(path.parent.parent)
    packed = arrays.read(path, remedy)
    if packed.dtype != np.uint8 or packed.ndim != 3:
        raise DataError(
            f"{path} must hold uint8 (seeds, examples, bytes); it holds {packed.dtype} of shape "
            f"{packed.shape}; {remedy}"
        )
    return packed


def write_layers(path: Path, layers: list[Layer]) -> None:
    """Write the table of layers: layer, first_unit, units."""
    with (
        jobs.atomic(Path(path)) as temporary,
        Path(temporary).open("w", encoding="utf-8", newline="") as file,
    ):
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["layer", "first_unit", "units"])
        table.writerows([layer.layer, layer.first_unit, layer.units] for layer in layers)


def read_layers(path: Path) -> list[Layer]:
    """Read the table of layers.

    Raises:
        FileNotFoundError: there is no such file.
        DataError: the columns are not layer, first_unit, units, or a number is not one.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return [Layer(row["layer"], int(row["first_unit"]), int(row["units"])) for row in rows]
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise DataError(
            f"{path} must have the columns layer, first_unit, units; {_remedy(path.parent)}"
        ) from error


def _remedy(folder: Path) -> str:
    listed = (folder / checksums.LISTING).is_file()
    return checksums.rebuild(folder) if listed else "write it again"


def _check_units(packed: np.ndarray, units: int) -> None:
    if units < 0 or packed.shape[-1] != -(-units // 8):
        raise ValueError(
            f"{units} units need {-(-units // 8)} bytes; packed has {packed.shape[-1]} "
            f"(shape {packed.shape}). Give the number of units of the code, not of its bytes."
        )


def _distinct_of(keys: np.ndarray) -> Distinct:
    found: Any = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    return Distinct(*found[1:])


def _row_keys(packed: np.ndarray) -> np.ndarray:
    """One uint64 per row: the row itself up to 8 bytes, a hash of it beyond."""
    words = -(-packed.shape[1] // 8)
    factors = np.ones(1, np.uint64)
    if words > 1:
        factors = np.random.default_rng(0).integers(0, 2**63, words, np.uint64) * 2 + 1
    keys = np.empty(len(packed), np.uint64)
    for rows in row_blocks(len(packed), 8 * words):
        block = np.zeros((rows.stop - rows.start, 8 * words), np.uint8)
        block[:, : packed.shape[1]] = packed[rows]
        keys[rows] = block.view(np.uint64) @ factors
    return keys


def _same_rows(packed: np.ndarray, found: Distinct) -> bool:
    representatives = found.first[found.inverse]
    return all(
        np.array_equal(packed[rows], packed[representatives[rows]])
        for rows in row_blocks(len(packed), packed.shape[1])
    )
