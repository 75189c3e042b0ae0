"""Model files: the checkpoints of an ensemble in one safetensors file, with their checksums."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import torch

from neuralcodes.errors import DataError
from neuralcodes.networks import models
from neuralcodes.networks.models import Architecture, Ensemble
from neuralcodes.storage import checksums, jobs
from neuralcodes.storage import tensors as tensorfiles

Shape = TypeVar("Shape")

_WRITTEN = {"architecture": dict, "epochs": list, "checksums": dict}  # by `save`, with their types


def save(path: str | Path, checkpoints: dict[str, Any], metadata: dict[str, object]) -> None:
    """Write the checkpoints of an ensemble as one safetensors file, atomically.

    Args:
        path: the file.
        checkpoints: epoch ("0", "10", "final") -> `Ensemble`, or what has its two attributes.
        metadata: JSON-ready facts kept in the file's header, e.g. run, seeds, versions. With them
            stand the checksums of the checkpoints, and of the header itself.
    """
    # cloned: two epochs of an ensemble that stopped early are one and the same in memory
    kept = {
        epoch: {
            name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
            for name, value in ensemble.parameters.items()
        }
        for epoch, ensemble in checkpoints.items()
    }
    tensors = {f"epoch{epoch}/{name}": v for epoch, own in kept.items() for name, v in own.items()}
    header = {
        "architecture": asdict(next(iter(checkpoints.values())).architecture),
        "epochs": list(checkpoints),
        "checksums": {epoch: tensorfiles.checksum(own) for epoch, own in kept.items()},
        **metadata,
    }
    text = {key: json.dumps(value, sort_keys=True) for key, value in header.items()}
    with jobs.atomic(path) as temporary:
        tensorfiles.write(temporary, tensors, {**text, "checksum": checksums.checksum_of(text)})


def read_metadata(path: str | Path) -> dict[str, Any]:
    """Read a model file's header.

    Raises:
        DataError: not a model file of ours, or damaged.
    """
    with _opened(path) as file:
        text = file.metadata()
    found = text.pop("checksum", None)
    if found is None and not text.keys() & _WRITTEN.keys():
        raise DataError(f"{path} is a safetensors file but not a model file: no architecture in it")
    if found != checksums.checksum_of(text):
        raise _damaged(path, "its header does not have its checksum")
    try:
        metadata = {key: json.loads(value) for key, value in text.items()}
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"its header is not JSON: {error}") from error
    for key, kind in _WRITTEN.items():
        if not isinstance(metadata.get(key), kind):
            raise _damaged(path, f"its header has no {key}")
    return metadata


def has_checkpoint(metadata: dict[str, Any], seed: int, epoch: str) -> bool:
    """Tell whether a seed has a checkpoint; one by accuracy it may never have reached.

    Args:
        metadata: what `read_metadata` returned.
        seed: one of its seeds.
        epoch: the checkpoint's name.
    """
    reached = metadata["reached"].get(epoch)
    return reached is None or reached[metadata["seeds"].index(seed)] is not None


def load(path: str | Path, epoch: str, device: torch.device | str = "cpu") -> Ensemble:
    """Read one checkpoint.

    Args:
        path: a model file.
        epoch: "0", "10", ..., "final".
        device: where the parameters go.

    Raises:
        DataError: the file is damaged or has no such checkpoint.
    """
    architecture, values = read_checkpoint(path, epoch, Architecture, models.initialise)
    return Ensemble(architecture, {name: value.to(device) for name, value in values.items()})


def read_checkpoint(
    path: str | Path, epoch: str, kind: type[Shape], initial: Callable[..., Any]
) -> tuple[Shape, dict[str, torch.Tensor]]:
    """Read architecture and parameters of one checkpoint, onto the CPU.

    Args:
        path: a file that `save` wrote.
        epoch: as in `load`.
        kind: the dataclass of the architecture.
        initial: makes an ensemble of an architecture and seeds; gives the parameters' sizes.

    Raises:
        DataError: the file is damaged, of another kind of network or has no such checkpoint.
    """
    metadata = read_metadata(path)
    if epoch not in metadata["epochs"]:
        kept = ", ".join(map(str, metadata["epochs"]))
        raise DataError(f"{path} has no checkpoint of epoch {epoch}; it has {kept}")
    prefix = f"epoch{epoch}/"
    with _opened(path) as file:
        names = [name for name in file.names() if name.startswith(prefix)]
        values = {name.removeprefix(prefix): file.tensor(name) for name in names}
    found = {k: tuple(v) if isinstance(v, list) else v for k, v in metadata["architecture"].items()}
    try:
        architecture = kind(**found)
    except TypeError:
        raise DataError(f"{path} does not have networks of {kind.__module__}: {found}") from None
    if _sizes(values) != _expected_sizes(path, architecture, initial):
        raise _damaged(path, f"epoch {epoch} lacks parameters of the architecture")
    if tensorfiles.checksum(values) != metadata["checksums"].get(epoch):
        raise _damaged(path, f"epoch {epoch} does not have its checksum")
    return architecture, values


def _expected_sizes(
    path: str | Path, architecture: Shape, initial: Callable[..., Any]
) -> dict[str, tuple[torch.dtype, torch.Size]]:
    try:
        return _sizes(initial(architecture, [0]).parameters)
    except Exception as error:  # whatever a senseless architecture runs into, or too large a one
        raise _damaged(path, f"no network has the architecture {architecture}") from error


def _sizes(values: dict[str, torch.Tensor]) -> dict[str, tuple[torch.dtype, torch.Size]]:
    return {name: (value.dtype, value.shape[1:]) for name, value in values.items()}


@contextmanager
def _opened(path: str | Path) -> Iterator[tensorfiles.TensorFile]:
    path = Path(path)
    if not path.is_file():
        raise DataError(
            f"{path} does not exist; correct the path, or run the workflow that makes it"
        )
    try:
        with tensorfiles.opened(path) as file:
            yield file
    except tensorfiles.Unreadable as error:
        raise _damaged(path, error) from error


def _damaged(path: str | Path, reason: object) -> DataError:
    return DataError(f"{path} is damaged ({reason}); {checksums.rebuild(Path(path))}")
