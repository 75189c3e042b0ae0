"""Import torchvision even where its compiled operators do not fit the installed torch."""

import importlib
import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

# Declared here because torchvision refers to them while it is imported, and nothing else does.
_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)

# torch forgets an operator as soon as the object that declared it is collected.
_library: "torch.library.Library | None" = None


def import_torchvision() -> ModuleType:
    """Import torchvision, first declaring the operators that a CPU build of torch lacks.

    A torchvision compiled for CUDA cannot load its compiled operators beside a CPU build of
    torch and then fails to import, although its datasets need none of them. Does nothing more
    than the import where torchvision is imported already or its own operators load.

    Returns:
        The module `torchvision`, with `torchvision.datasets` imported.

    Raises:
        ImportError: torchvision is not installed.
    """
    global _library
    if "torchvision" not in sys.modules:
        import torch

        _load_own_operators()
        if not hasattr(torch.ops.torchvision, "nms"):
            _library = torch.library.Library("torchvision", "DEF")
            for schema in _SCHEMAS:
                _library.define(schema)
    return importlib.import_module("torchvision")


def _load_own_operators() -> None:
    import torch

    spec = importlib.util.find_spec("torchvision")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for suffix in importlib.machinery.EXTENSION_SUFFIXES:
            compiled = Path(folder) / f"_C{suffix}"
            if compiled.is_file():
                try:
                    torch.ops.load_library(str(compiled))
                except OSError:
                    continue  # built for another torch: the declarations above stand in
