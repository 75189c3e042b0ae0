"""Print the tests as tables in CSV, Markdown and LaTeX."""

from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes.report import typesetting
from neuralcodes.storage import jobs
from neuralcodes.studies import tables

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with jobs.logged(snakemake.log[0], snakemake.threads):
    typesetting.write_all(
        stem=Path(snakemake.output[0]).with_suffix("").with_suffix(""),
        baseline=tables.read(snakemake.input.unperturbed, needed=()),
        comparison=tables.read(snakemake.input.train, needed=()),
        setting=typesetting.Setting.of(snakemake.params.captions, snakemake.input.published),
        kinds=snakemake.params.kinds,
    )
