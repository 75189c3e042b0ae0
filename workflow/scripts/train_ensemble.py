"""Train all seeds of one run as one ensemble and save its checkpoints."""

from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes.networks.training import resume
from neuralcodes.storage import jobs
from neuralcodes.studies import runs

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with jobs.logged(snakemake.log[0], snakemake.threads):
    resume.train_on_dataset(
        run=runs.from_mapping(snakemake.params.run),
        seeds=range(int(snakemake.wildcards.first), int(snakemake.wildcards.last) + 1),
        checkpoints=snakemake.params.checkpoints,
        data=Path(snakemake.input.data).parent,
        model=Path(snakemake.output.model),
        history=Path(snakemake.output.history),
        device=jobs.start_torch(snakemake.threads, snakemake.resources.device),
        code=snakemake.params.code,
    )
