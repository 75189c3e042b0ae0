"""Files of named tensors, in the safetensors format."""

import re
from pathlib import Path

import safetensors
import torch
from safetensors.torch import save_file


def write(path: Path, tensors: dict[str, torch.Tensor], text: dict[str, str]) -> None:
    """Write a safetensors file; a full disk is an `OSError` as with any other file.

    Args:
        path: the file.
        tensors: name -> tensor on the CPU; no two may share memory.
        text: kept in the file's header.

    Raises:
        OSError: the system cannot write.
    """
    path.touch()
    mode = path.stat().st_mode
    try:
        save_file(tensors, path, metadata=text)
        path.chmod(mode)  # safetensors makes files that only their owner can read
    except safetensors.SafetensorError as error:
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), str(error)) from error
