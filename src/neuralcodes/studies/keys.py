"""Keys of the configuration in messages: where a value stands, and what is allowed there."""

import difflib
import json
import re
from collections.abc import Iterable

from neuralcodes.errors import ConfigError

Path = tuple[str | int, ...]


def key(path: Iterable[str | int]) -> str:
    """Write a path as users write it: studies.model_size.factors.width[2].

    Args:
        path: keys and list positions.
    """
    text = ""
    for part in path:
        usual = isinstance(part, str) and re.fullmatch(r"[\w-]+", part)
        text += f".{part}" if usual else f"[{shown(part)}]"
    return text.lstrip(".") or "configuration"


def shown(value: object) -> str:
    """Write a value as YAML has it, on one line and not too long.

    Args:
        value: anything.
    """
    text = "..." if value is ... else json.dumps(value, default=str, ensure_ascii=False)
    if isinstance(value, float):
        text = re.sub(r"^(-?\d+)e", r"\1.0e", text)  # YAML reads 1e-07 as text
    return text if len(text) <= 60 else text[:57] + "..."


def refused(path: Path, found: object, instead: str) -> ConfigError:
    """Make the error for a value that is not allowed.

    Args:
        path: where it was found.
        found: the value.
        instead: what is allowed, or why this is not.
    """
    return ConfigError(f"{key(path)}: {shown(found)} is not allowed: {instead}")


def unknown(path: Path, name: object, names: Iterable[object], what: str = "key") -> ConfigError:
    """Make the error for a name that is not known.

    Args:
        path: where the name was found.
        name: what was found.
        names: the names that are known.
        what: what the name should name.
    """
    known = sorted(each if isinstance(each, str) else shown(each) for each in names)
    near = difflib.get_close_matches(str(name), known, n=1)
    hint = f"; did you mean {near[0]}?" if near else "."
    return ConfigError(
        f"{key(path)}: {shown(name)} is no known {what}{hint} Allowed: {', '.join(known) or 'none'}"
    )
