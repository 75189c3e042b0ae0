"""Draw a study's figure, the published values over ours where there are any."""

from pathlib import Path
from typing import TYPE_CHECKING

from neuralcodes.figures import drawing
from neuralcodes.storage import jobs

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with jobs.logged(snakemake.log[0], snakemake.threads):
    drawing.draw_study(
        summary=Path(snakemake.input.summary),
        title=snakemake.params.title,
        figure=snakemake.params.figure,
        factors=snakemake.params.factors,
        values=snakemake.input.published,
        style=Path(snakemake.input.style),
        stem=Path(snakemake.output.pdf).with_suffix(""),
    )
