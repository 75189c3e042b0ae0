"""Thin the history of a training to training curves."""

from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes.pipeline import histories
from neuralcodes.storage import jobs, rows

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with jobs.logged(snakemake.log[0], snakemake.threads):
    measured = histories.measure_history(
        history=Path(snakemake.input.history),
        run=snakemake.wildcards.run,
    )
    rows.write(Path(snakemake.output[0]), measured)
