"""Sources of data: what the configuration may name, and what the library knows of each."""

from neuralcodes.datasets.sources import (
    cifar10,
    cifar100,
    digits,
    fashion_mnist,
    image_folder,
    kmnist,
    mnist,
    npz,
    svhn,
)
from neuralcodes.datasets.sources.declaration import Source
from neuralcodes.errors import DataError

_BUILT_IN = tuple(
    module.SOURCE
    for module in (
        *(digits, mnist, fashion_mnist, kmnist, cifar10, cifar100, svhn),
        *(image_folder, npz),
    )
)
_SOURCES: dict[str, Source] = {source.name: source for source in _BUILT_IN}

SOURCES = tuple(_SOURCES)  # those of the library, without registered ones


def register(source: Source) -> None:
    """Add a source; its name is then one of `names`.

    Args:
        source: its declaration. The same one may be registered again.

    Raises:
        ValueError: another source has its name.
    """
    if _SOURCES.setdefault(source.name, source) != source:
        raise ValueError(f"there is a source of data {source.name} already; take another name")


def names() -> tuple[str, ...]:
    """Name all sources."""
    return tuple(_SOURCES)


def get(name: str) -> Source:
    """Give the declaration of a source.

    Raises:
        DataError: there is no such source.
    """
    if name not in _SOURCES:
        raise DataError(f"source {name} is none of {', '.join(_SOURCES)}")
    return _SOURCES[name]
