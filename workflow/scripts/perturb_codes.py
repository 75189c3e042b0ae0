"""Measure what perturbations do to the neural codes of a checkpoint."""

from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes.pipeline import perturbedcodes
from neuralcodes.storage import jobs, rows
from neuralcodes.studies import levels

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with jobs.logged(snakemake.log[0], snakemake.threads):
    measured = perturbedcodes.measure_perturbed_codes(
        model=Path(snakemake.input.model),
        epoch=snakemake.wildcards.epoch,
        data=Path(snakemake.input.data).parent,
        settings=levels.CodeLevels(**snakemake.params.perturbations),
        device=jobs.start_torch(snakemake.threads, snakemake.resources.device),
    )
    rows.write(Path(snakemake.output[0]), measured, rows.PERTURBATION_COLUMNS)
