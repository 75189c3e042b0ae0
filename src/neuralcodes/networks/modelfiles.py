"""Model files: the checkpoints of an ensemble in one safetensors file, with their checksums."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from neuralcodes.errors import DataError
from neuralcodes.networks.architectures import registry
from neuralcodes.networks.architectures.declaration import Architecture
from neuralcodes.networks.ensembles import Ensemble
from neuralcodes.storage import checksums, jobs
from neuralcodes.storage import tensors as tensorfiles

_WRITTEN = {"architecture": dict, "epochs": list, "checksums": dict}  # by `save`, with their types


def save(path: str | Path, checkpoints: dict[str, Ensemble], metadata: dict[str, object]) -> None:
    """Write the checkpoints of an ensemble as one safetensors file, atomically.

    Args:
        path: the file.
        checkpoints: epoch ("0", "10", "final") -> Ensemble.
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
        "architecture": asdict(next(iter(checkpoints.values())).shape),
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
        DataError: the file is damaged, of an architecture that nobody knows, or has no such
            checkpoint.
    """
    metadata = read_metadata(path)
    if epoch not in metadata["epochs"]:
        kept = ", ".join(map(str, metadata["epochs"]))
        raise DataError(f"{path} has no checkpoint of epoch {epoch}; it has {kept}")
    prefix = f"epoch{epoch}/"
    with _opened(path) as file:
        names = [name for name in file.names() if name.startswith(prefix)]
        values = {name.removeprefix(prefix): file.tensor(name) for name in names}
    fields = metadata["architecture"]
    try:
        architecture = registry.get(fields.get("network", "mlp"))
    except LookupError as error:
        raise DataError(f"{path} has networks of {error}; is its plugin missing?") from None
    try:
        sized = _shaped(architecture, fields)
    except Exception as error:  # whatever a senseless shape runs into, or too large a one
        raise _damaged(path, f"no network has the architecture {fields}") from error
    if _sizes(values) != _sizes(sized.parameters):
        raise _damaged(path, f"epoch {epoch} lacks parameters of the architecture")
    if tensorfiles.checksum(values) != metadata["checksums"].get(epoch):
        raise _damaged(path, f"epoch {epoch} does not have its checksum")
    here = {name: value.to(device) for name, value in values.items()}
    return architecture.ensemble(sized.shape, here)


def _shaped(architecture: Architecture, fields: dict[str, Any]) -> Ensemble:
    """Make an ensemble of one member, which has the sizes of all."""
    found = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
    return architecture.initialise(architecture.shape_from(found), [0])


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
