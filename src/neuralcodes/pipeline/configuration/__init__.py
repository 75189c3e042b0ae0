"""The configuration: typed models of every section, and how a configuration is read."""

from neuralcodes.pipeline.configuration.reading import (
    CHOICES,
    COMMAND_LINE_VARIABLE,
    MIRROR_VARIABLE,
    load,
    merge,
    options,
    preset_of_targets,
    write_run_table,
)

__all__ = [
    "CHOICES",
    "COMMAND_LINE_VARIABLE",
    "MIRROR_VARIABLE",
    "load",
    "merge",
    "options",
    "preset_of_targets",
    "write_run_table",
]
