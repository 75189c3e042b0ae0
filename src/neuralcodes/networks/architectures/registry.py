"""The architectures that there are, by name."""

import re
from collections.abc import Iterable

from neuralcodes.networks.architectures.cnn_hash import CNN_HASH
from neuralcodes.networks.architectures.declaration import Architecture
from neuralcodes.networks.architectures.hash import HASH
from neuralcodes.networks.architectures.mlp import MLP
from neuralcodes.networks.architectures.small_cnn import SMALL_CNN

# Keys of a recipe that describe the network; all others say how it is trained.
NETWORK_KEYS = MLP.keys
NAME = re.compile(r"[a-z]+(_[a-z]+)*")  # run ids put numbers behind it

_known: dict[str, Architecture] = {each.name: each for each in (MLP, HASH, CNN_HASH, SMALL_CNN)}


def register(architecture: Architecture) -> None:
    """Add an architecture, e.g. of a module of the user's own.

    Args:
        architecture: its name is new, or that of one of the same class, which it replaces.

    Raises:
        ValueError: the name is taken or not made of small letters and underscores, or a key is not
            one of a recipe that describes networks.
    """
    name, before = architecture.name, _known.get(architecture.name)
    if not NAME.fullmatch(name):
        raise ValueError(f"architecture {name!r}: a name is small letters and underscores alone")
    if before is not None and type(before).__qualname__ != type(architecture).__qualname__:
        raise ValueError(f"architecture {name}: {type(before).__name__} has this name already")
    strange = sorted(architecture.keys - NETWORK_KEYS)
    if strange:
        raise ValueError(
            f"architecture {name} reads {', '.join(strange)}; a recipe describes networks by "
            f"{', '.join(sorted(NETWORK_KEYS))}"
        )
    _known[name] = architecture


def get(name: str) -> Architecture:
    """Give an architecture.

    Args:
        name: one of `names()`.

    Raises:
        LookupError: there is none of this name.
    """
    if name not in _known:
        raise LookupError(f"no architecture {name}; there are {', '.join(_known)}")
    return _known[name]


def names() -> tuple[str, ...]:
    """Name the architectures that a recipe may have; a hash recipe names its own."""
    return tuple(name for name, each in _known.items() if each.keys <= NETWORK_KEYS)


def unread(name: str, keys: Iterable[str]) -> list[str]:
    """List the keys of a recipe that describe networks, but none of an architecture.

    Args:
        name: of the architecture.
        keys: of the recipe.
    """
    return [key for key in keys if key in NETWORK_KEYS - get(name).keys]
