"""Draw how a unit selects features."""

from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes.figures import schematics
from neuralcodes.storage import jobs

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with jobs.logged(snakemake.log[0], snakemake.threads):
    schematics.draw_schematic(
        style=Path(snakemake.input.style),
        stem=Path(snakemake.output.pdf).with_suffix(""),
    )
