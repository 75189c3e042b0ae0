"""Embed some unseen manifolds in two dimensions, before and after training."""

from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes.pipeline import manifoldmeasuring
from neuralcodes.storage import jobs, rows

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with jobs.logged(snakemake.log[0], snakemake.threads):
    measured = manifoldmeasuring.measure_embedding(
        model=Path(snakemake.input.model),
        data=snakemake.input.data,
        settings=snakemake.params.settings,
        device=jobs.start_torch(snakemake.threads, snakemake.resources.device),
    )
    rows.write(Path(snakemake.output[0]), measured, rows.EMBEDDING_COLUMNS)
