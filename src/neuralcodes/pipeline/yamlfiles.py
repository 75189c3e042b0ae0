"""YAML in which a key stands once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from neuralcodes.errors import ConfigError
from neuralcodes.studies.keys import shown


def read(path: Path) -> Mapping[str, Any]:
    """Read a file that holds a mapping.

    Args:
        path: the file.

    Raises:
        ConfigError: it cannot be read, or holds something else.
    """
    try:
        content = parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read as YAML: {error}") from error
    if not isinstance(content, Mapping):
        raise ConfigError(f"{path}: {shown(content)} is not allowed: a mapping of keys to values")
    return content


def parse(text: str) -> object:
    """Read one document of YAML.

    Args:
        text: of a file, or of a value on a command line.

    Returns:
        Mappings, lists, text, numbers, booleans and None.

    Raises:
        ValueError: it is no YAML, or a key of a mapping stands twice.
    """
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error


class _Loader(yaml.SafeLoader):
    """Plain YAML silently takes the last of two equal keys."""

    def compose_mapping_node(self, anchor: str | None) -> yaml.MappingNode:
        """Refuse a key that stands twice."""
        node = super().compose_mapping_node(anchor)
        names = [name.value for name, _ in node.value if isinstance(name, yaml.ScalarNode)]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise yaml.MarkedYAMLError(
                problem=f"{twice} stands twice", problem_mark=node.start_mark
            )
        return node
