"""Train all seeds of one hash network as one ensemble; keep it as it was before, too."""

from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes.manifolds import manifolddata
from neuralcodes.networks.training import resume
from neuralcodes.storage import jobs
from neuralcodes.studies import hashruns

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with jobs.logged(snakemake.log[0], snakemake.threads):
    device = jobs.start_torch(snakemake.threads, snakemake.resources.device)
    run = hashruns.from_mapping(snakemake.params.run)
    seeds = range(int(snakemake.wildcards.first), int(snakemake.wildcards.last) + 1)
    folder = manifolddata.data_folder(snakemake.input.data)
    data = manifolddata.TrainingPoints.of(run, seeds, folder, device)
    model, history = Path(snakemake.output.model), Path(snakemake.output.history)
    code = snakemake.params.code
    resume.train_on_steps(run, seeds, data, model, history, code, data.facts)
