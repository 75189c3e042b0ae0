"""Run a script of the workflow in this process, given what snakemake would give it."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from neuralcodes.pipeline.pieces import Paths, Piece, listed


class Files(list[str]):
    """A job's paths by position, and by name as attributes."""

    def __init__(self, paths: Paths) -> None:
        """List the paths.

        Args:
            paths: name -> path or paths.
        """
        super().__init__(listed(paths))
        vars(self).update(paths)


def run(
    piece: Piece, script: Path, log: Path, resources: Mapping[str, object], threads: int = 1
) -> None:
    """Run the script of a job.

    Args:
        piece: the job.
        script: its script.
        log: the job's log file.
        resources: what the script may ask for, such as the device.
        threads: that the job may use.

    Raises:
        SystemExit: the job failed; it has said why on standard error and in its log.
    """
    given = SimpleNamespace(
        input=Files(piece.inputs),
        output=Files(piece.outputs),
        params=SimpleNamespace(**piece.params),
        wildcards=SimpleNamespace(**piece.wildcards),
        resources=SimpleNamespace(**resources),
        threads=threads,
        log=[str(log)],
    )
    runpy.run_path(str(script), init_globals={"snakemake": given})
