"""The command line: python -m neuralcodes run."""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from neuralcodes.errors import ConfigError, NeuralcodesError
from neuralcodes.pipeline import configuration, runner, yamlfiles
from neuralcodes.pipeline.runner import Options
from neuralcodes.studies import settings
from neuralcodes.studies.keys import unknown

ROOT = Path(__file__).parents[2]
CONFIGURATION = Path("config/config.yaml")
DESCRIPTION = """\
Run studies from data to figures in one process, without snakemake.

It makes what is missing of the files that the workflow would make, in the same places, by the same
scripts; give the command again after an interruption and it goes on. Beside torch, NumPy and
scikit-learn it needs no package to train and to measure; tables and figures need pandas and
matplotlib, and are left out where these are not installed.
"""
EXAMPLES = """\
examples:
  python -m neuralcodes run --preset digits --study model_size_digits --out results
  python -m neuralcodes run --preset paper --study model_size_mnist --out /scratch/results \\
      --device cuda --threads 16 --mirror /datasets
  python -m neuralcodes run --preset paper --study model_size_mnist --out results --seeds 0-4 \\
      --config studies.model_size_mnist.factors.width=[10,20] data.directory=/scratch/data
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: what stands behind `python -m neuralcodes`; None: this process's own.

    Returns:
        The exit code: 0, 1 after a message on standard error, 130 after an interrupt.

    Raises:
        SystemExit: the options are wrong (2), a piece failed (1), SIGTERM came (143).
    """
    given = _parser().parse_args(arguments)
    try:
        settings, studies = _chosen(given)
        runner.run(settings, ROOT, studies, Options(given.threads, given.pack, given.dry_run))
    except NeuralcodesError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; the same command goes on\n")
        return 130
    return 0


def _chosen(given: argparse.Namespace) -> tuple[settings.Settings, Sequence[str]]:
    """Load the configuration that the options choose, and name the studies."""
    if not (ROOT / CONFIGURATION).is_file():
        raise ConfigError(
            f"{ROOT / CONFIGURATION} is missing: run this from a copy of the whole project, "
            "installed with pip install --editable, or with its src in PYTHONPATH"
        )
    raw = yamlfiles.read(ROOT / CONFIGURATION)
    options = {
        "preset": given.preset,
        "device": given.device,
        "results": given.out,
        "data.mirror": given.mirror,
    }
    for key, value in options.items():
        raw = raw if value is None else configuration.merge(raw, _nested(key, value))
    for pair in given.config:
        raw = configuration.merge(raw, _nested(*_pair(pair)))
    settings = configuration.load(raw, ROOT)
    studies = given.studies or settings.selected
    for name in studies:
        if name not in settings.studies:
            raise unknown(("study",), name, settings.studies, "study")
    if given.seeds is not None:
        seeds = {name: {"seeds": given.seeds} for name in studies}
        settings = configuration.load(configuration.merge(raw, {"studies": seeds}), ROOT)
    return settings, studies


def _pair(text: str) -> tuple[str, object]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise ConfigError(f"--config: {text} is not allowed: KEY=VALUE, such as device=cpu")
    try:
        return key, yamlfiles.parse(value)
    except ValueError as error:
        raise ConfigError(f"--config: the value of {key} is no YAML: {error}") from error


def _nested(key: str, value: object) -> dict[str, Any]:
    for name in reversed(key.split(".")):
        value = {name: value}
    return value


def _seeds(text: str) -> int | list[str]:
    if re.fullmatch(r"[1-9][0-9]*", text):
        return int(text)
    if re.fullmatch(r"[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)+|[0-9]+-[0-9]+", text):
        return text.split(",")
    raise argparse.ArgumentTypeError(f"{text} is not allowed: a number, or ranges such as 0-4,7")


def _threads(text: str) -> int:
    if re.fullmatch(r"[1-9][0-9]*", text):
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is not allowed: a number of threads, at least 1")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m neuralcodes", description="What does a trained network compute?"
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    run = commands.add_parser(
        "run",
        help="run studies from data to figures in one process, without snakemake",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    option = run.add_argument
    option("--preset", metavar="NAME|FILE", help="preset; else that of config/config.yaml")
    option(
        "--study",
        metavar="NAME",
        action="append",
        dest="studies",
        help="a study of the preset, may be given several times; else all that are not optional",
    )
    option("--out", metavar="DIR", help="folder of the results; else as configured")
    option("--device", help="auto, cpu, cuda, cuda:N or mps; else as configured")
    option(
        "--seeds",
        type=_seeds,
        help="how many, such as 3, or which ones, such as 0-4,7; else those of the study",
    )
    option(
        "--threads",
        type=_threads,
        metavar="N",
        default=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1,
        help="threads of K-Means, nearest neighbours and logistic regression, whose numbers do "
        "not depend on it; else %(default)s, the cores that this process may use",
    )
    option("--mirror", metavar="DIR", help="folder with the official files of the datasets")
    option(
        "--pack",
        choices=("auto", "always", "never"),
        default="auto",
        help="train runs that differ in their width alone as one ensemble, padded to the widest; "
        "auto, the default, does so on CUDA, where it pays",
    )
    option(
        "--config",
        nargs="+",
        action="extend",
        metavar="KEY=VALUE",
        default=[],
        help="other keys of the configuration, the values in YAML",
    )
    option("--dry-run", "-n", action="store_true", help="count what there is to do")
    return parser


if __name__ == "__main__":
    sys.exit(main())
