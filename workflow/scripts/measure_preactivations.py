"""Measure how pre-activations are distributed around the border of each unit."""

from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes.pipeline import preactivations
from neuralcodes.storage import jobs, rows

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with jobs.logged(snakemake.log[0], snakemake.threads):
    measured = preactivations.measure_preactivations(
        model=Path(snakemake.input.model),
        epoch=snakemake.wildcards.epoch,
        data=Path(snakemake.input.data).parent,
        device=jobs.start_torch(snakemake.threads, snakemake.resources.device),
    )
    rows.write(Path(snakemake.output[0]), measured, rows.UNIT_COLUMNS)
