"""The user's own modules, which register what the library does not have when they are imported."""

import importlib
import json
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from neuralcodes.errors import ConfigError

VARIABLE = "NEURALCODES_PLUGINS"  # their names as a list in JSON, for the jobs


def load(names: Sequence[str]) -> None:
    """Import modules of the working folder, or installed ones; each once in a process.

    Args:
        names: modules, such as "mine".

    Raises:
        ConfigError: there is no such module, or its import fails; names both.
    """
    here = str(Path.cwd())
    if names and here not in sys.path:
        sys.path.append(here)  # last, so that a file there hides no library
        importlib.invalidate_caches()
    for position, name in enumerate(names):
        try:
            importlib.import_module(name)
        except (Exception, SystemExit) as error:
            where = f'plugins[{position}]: "{name}"'
            if isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}."):
                raise ConfigError(
                    f"{where} is not allowed: there is no module {error.name} in {here}, and none "
                    "is installed"
                ) from None
            what = " ".join(f"{type(error).__name__}: {error}".split())
            raise ConfigError(f"{where} cannot be imported: {what}{_place(error)}") from error


def load_for_job(environ: Mapping[str, str] = os.environ) -> None:
    """Import what the environment variable of this module names.

    Args:
        environ: the environment.

    Raises:
        ConfigError: see `load`.
    """
    load(json.loads(environ.get(VARIABLE) or "[]"))


def _place(error: BaseException) -> str:
    """Say in which of the user's lines the import failed."""
    ours = (__file__, importlib.__file__)
    frames = [
        each
        for each in traceback.extract_tb(error.__traceback__)
        if each.filename not in ours and not each.filename.startswith("<")
    ]
    return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
