"""Measure one checkpoint, as the declaration of the measure says."""

from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes.measures import registry
from neuralcodes.measures.declaration import Job
from neuralcodes.storage import jobs, rows

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with jobs.logged(snakemake.log[0], snakemake.threads):
    measure = registry.get(snakemake.rule, snakemake.params.module)
    wanted = snakemake.resources.device if measure.device else None
    device = jobs.start_torch(snakemake.threads, wanted) if wanted else None
    job = Job.of(measure, snakemake.wildcards, snakemake.input, snakemake.params, device)
    rows.write(Path(snakemake.output[0]), measure.rows(job), measure.columns)
