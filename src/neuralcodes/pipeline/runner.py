"""A study from data to figures in one process: the workflow for machines without snakemake."""

import csv
import gc
import importlib.util
import itertools
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from neuralcodes.datasets import prepared
from neuralcodes.datasets.sources import OFFICIAL
from neuralcodes.errors import ConfigError, DataError, DeviceError
from neuralcodes.pipeline import configuration, placement, provenance, standin
from neuralcodes.pipeline.pieces import Piece, Pieces
from neuralcodes.storage import jobs
from neuralcodes.studies.settings import Settings

if TYPE_CHECKING:
    from neuralcodes.networks.cuda import packing

# All rules, each after those that make its inputs.
RULES = (
    *("download_data", "prepare_data", "train_ensemble", "train_hash_ensemble"),
    *("encode_ensemble", "encode_random_inputs"),
    *("measure_codes", "measure_layers", "measure_random_inputs", "measure_regions"),
    *("measure_history", "perturb_ensemble", "perturb_codes", "measure_preactivations"),
    *("measure_manifolds", "measure_locality", "measure_embedding"),
    *("measure_hash_retrieval", "measure_retrieval"),
    *("tabulate_study", "tabulate_significance", "typeset_significance", "typeset_retrieval"),
    *("plot_study", "plot_schematic"),
)
# Made anew every time: they take seconds, and depend on more than on files.
ANEW = RULES[RULES.index("tabulate_study") : RULES.index("plot_schematic")]
# Their numbers do not depend on the number of threads, to the bit.
THREADED = ("measure_codes", "measure_layers")
# The modules that rules need beside torch, NumPy and scikit-learn.
NEEDED = {
    "measure_hash_retrieval": ("faiss",),
    "measure_retrieval": ("faiss",),
    "tabulate_study": ("pandas",),
    "tabulate_significance": ("pandas",),
    "typeset_significance": ("pandas", "jinja2", "tabulate"),
    "typeset_retrieval": ("pandas", "jinja2", "tabulate"),
    "plot_schematic": ("pandas", "matplotlib"),
    "plot_study": ("pandas", "matplotlib"),
}
NEEDED_TO_PREPARE = {**dict.fromkeys(OFFICIAL, ("torchvision",)), "image_folder": ("PIL",)}
PACKAGES = {"faiss": "faiss-cpu", "PIL": "pillow"}  # of modules that are named otherwise
TIMINGS = ("started", "device", "rule", "pieces", "seconds", "model_epochs")


@dataclass(frozen=True)
class Options:
    """How studies are run.

    Attributes:
        threads: threads of the measures in `THREADED`.
        pack: whether runs that differ in their width alone are trained together; auto: on CUDA.
        dry: whether only to count what there is to do.
    """

    threads: int = 1
    pack: Literal["auto", "always", "never"] = "auto"
    dry: bool = False


@dataclass
class Timing:
    """What the pieces of a rule took."""

    pieces: int = 0
    seconds: float = 0.0
    model_epochs: int = 0


def run(settings: Settings, root: Path, studies: Sequence[str], options: Options) -> None:
    """Make all that is missing of some studies; tables and figures are made anew.

    Files are those of the workflow; logs are in {results}/logs. What is done goes to standard
    output, a line each, and the times of every study to {results}/{preset}/timings/{study}.csv.

    Args:
        settings: the configuration.
        root: the project's folder.
        studies: names of the configuration's.
        options: how.

    Raises:
        ConfigError: a measure needs a package that is not installed; nothing is made then.
        DataError: a dataset is not prepared and cannot be prepared here; nothing is made then.
        SystemExit: a piece failed, and has said why.
    """
    if settings.mirror:
        os.environ[configuration.MIRROR_VARIABLE] = settings.mirror
    if settings.deterministic:
        os.environ[jobs.DETERMINISTIC_VARIABLE] = "1"
    runners = [_Runner(settings, root, name, options) for name in studies]
    for each in runners:
        each.refuse()
    for each in runners:
        each.run()


def plan(targets: Sequence[Piece]) -> list[Piece]:
    """List what is to be made, each piece after those that it needs.

    Args:
        targets: what is wanted.

    Returns:
        Of the targets, and of what they need, the pieces that are not finished and those in
        `ANEW`. What only finished pieces need is not needed.
    """
    found: dict[int, Piece] = {}

    def visit(piece: Piece) -> None:
        if piece.rule in ANEW or not piece.finished:
            for each in piece.needs:
                visit(each)
            found[id(piece)] = piece

    for piece in targets:
        visit(piece)
    return sorted(found.values(), key=lambda piece: RULES.index(piece.rule))


def lacking(modules: Sequence[str]) -> list[str]:
    """Name the packages of modules that are not installed.

    Args:
        modules: names to import.
    """
    absent = [name for name in modules if importlib.util.find_spec(name) is None]
    return [PACKAGES.get(name, name) for name in absent]


class _Runner:
    """Runs one study."""

    def __init__(self, settings: Settings, root: Path, name: str, options: Options) -> None:
        self.settings, self.options, self.study = settings, options, settings.studies[name]
        self.pieces, self.results = Pieces(settings, root), Path(settings.results)
        self.timings: dict[str, Timing] = {}
        self.done, self.total = 0, 0

    def refuse(self) -> None:
        """Refuse what cannot be made for lack of a package."""
        for piece in plan(self.pieces.metrics(self.study)):
            if packages := lacking(NEEDED.get(piece.rule, ())):
                raise ConfigError(
                    f"{self.study.name}: {piece.rule} needs {' and '.join(packages)}, which is not "
                    "installed here; install it, or leave the study out"
                )
            source = piece.params["dataset"]["source"] if piece.rule == "prepare_data" else ""
            if packages := lacking(NEEDED_TO_PREPARE.get(source, ())):
                folder = _folder_of(piece.outputs["files"])
                raise DataError(
                    f"{folder} is missing, and preparing it takes {packages[0]}, which is not "
                    f"installed here; run snakemake --cores 1 {folder}/dataset.json where it is, "
                    "and copy the folder here"
                )

    def run(self) -> None:
        """Make what is missing."""
        every, study = self.pieces, self.study
        rest = [every.table(study), *every.printed(study), *every.figures(study)]
        left_out = {piece.rule: lacking(NEEDED[piece.rule]) for piece in rest}
        possible = [piece for piece in rest if not left_out[piece.rule]]
        todo = plan([*every.metrics(study), *possible])
        self.total = len(todo)
        stages = {
            rule: list(group) for rule, group in itertools.groupby(todo, lambda piece: piece.rule)
        }
        _say(f"{study.name}: {len(todo)} piece{'s' * (len(todo) != 1)} to make in {self.results}")
        if self.options.dry:
            for rule, pieces in stages.items():
                _say(f"{len(pieces):6d} {rule}")
            return
        configuration.write_run_table(self.settings)
        started = datetime.now().astimezone().isoformat(timespec="seconds")
        try:
            for rule, pieces in stages.items():
                for together in self._packs(rule, pieces):
                    self._make(rule, together)
        finally:
            self._write_timings(started)
            self._summarise()
        packages = dict.fromkeys(each for some in left_out.values() for each in some)
        if packages:
            rules = [rule for rule, absent in left_out.items() if absent]
            _say(
                f"All is measured. Left out for lack of {', '.join(packages)}: {', '.join(rules)}. "
                "The same command makes them where these are installed, from a copy of the results."
            )

    def _packs(self, rule: str, pieces: list[Piece]) -> Iterator[list[Piece]]:
        """Choose which pieces are made as one: trainings, where packing is asked for."""
        how = self.options.pack
        if rule == "train_ensemble" and how != "never":
            from neuralcodes.networks.cuda import packing

            device = jobs.start_torch(1, self._device(rule))
            if how == "always" or device.type == "cuda":
                info = prepared.describe(_folder_of(pieces[0].inputs["data"]))
                by_model = {piece.outputs["model"]: piece for piece in pieces}
                sizes = {"features": info.features, "examples": info.examples["train"]}
                parts = [_part_of(piece) for piece in pieces]
                for pack in packing.packs(parts, packing.budget_of(device), **sizes):
                    yield [by_model[str(part.model)] for part in pack]
                return
        yield from ([piece] for piece in pieces)

    def _make(self, rule: str, pieces: list[Piece]) -> None:
        begun = time.monotonic()
        with _sigterm_kept():
            if len(pieces) == 1:
                self._run_script(pieces[0])
            else:
                self._train_together(pieces)
        _release()
        seconds = time.monotonic() - begun
        timing = self.timings.setdefault(rule, Timing())
        timing.pieces += len(pieces)
        timing.seconds += seconds
        if rule == "train_ensemble":
            timing.model_epochs += sum(_rows_in(Path(each.outputs["history"])) for each in pieces)
        self.done += len(pieces)
        more = f" and {len(pieces) - 1} more together" if len(pieces) > 1 else ""
        named = " ".join([rule, *pieces[0].names])
        _say(f"[{self.done:{len(str(self.total))}d}/{self.total}] {named}{more}: {seconds:.1f} s")

    def _run_script(self, piece: Piece) -> None:
        log = self.results.joinpath("logs", piece.rule, *piece.names)
        threads = self.options.threads if piece.rule in THREADED else 1
        resources = placement.job_resources(self.settings, piece.rule, local=True)
        standin.run(piece, self.pieces.script(piece.rule), Path(f"{log}.log"), resources, threads)

    def _train_together(self, pieces: list[Piece]) -> None:
        from neuralcodes.networks.cuda import packing

        parts = [_part_of(piece) for piece in pieces]
        name = packing.state_path(parts).stem
        with jobs.logged(self.results / "logs/train_ensemble/packs" / f"{name}.log"):
            device = jobs.start_torch(1, self._device("train_ensemble"))
            code = provenance.fingerprint(Path(__file__))
            packing.train_to_files(parts, _folder_of(pieces[0].inputs["data"]), device, code)

    def _device(self, rule: str) -> str:
        return str(placement.job_resources(self.settings, rule, local=True)["device"])

    def _write_timings(self, started: str) -> None:
        """Add the times of this call to those of the calls before."""
        if not self.timings:
            return
        path = self.results / self.settings.preset / "timings" / f"{self.study.name}.csv"
        before = []
        if path.is_file():
            with path.open(newline="", encoding="utf-8") as file:
                before = list(csv.reader(file))[1:]
        device = _device_name(self._device("train_ensemble"))
        with jobs.atomic(path) as temporary, temporary.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows([TIMINGS, *before])
            for rule, each in self.timings.items():
                seconds = f"{each.seconds:.3f}"
                writer.writerow((started, device, rule, each.pieces, seconds, each.model_epochs))

    def _summarise(self) -> None:
        for rule, each in self.timings.items():
            _say(f"{each.seconds:10.1f} s  {each.pieces:5d} {rule}")
        _say(f"{sum(each.seconds for each in self.timings.values()):10.1f} s  in all")
        trained = self.timings.get("train_ensemble", Timing())
        if trained.model_epochs:
            each = trained.seconds / trained.model_epochs
            _say(f"{trained.model_epochs} model-epochs were trained, {each:.3g} s each")


def _part_of(piece: Piece) -> "packing.Part":
    from neuralcodes.networks.cuda import packing
    from neuralcodes.studies import runs

    first, last = int(piece.wildcards["first"]), int(piece.wildcards["last"])
    return packing.Part(
        run=runs.from_mapping(piece.params["run"]),
        seeds=tuple(range(first, last + 1)),
        checkpoints=tuple(piece.params["checkpoints"]),
        model=Path(str(piece.outputs["model"])),
        history=Path(str(piece.outputs["history"])),
    )


def _folder_of(paths: str | list[str]) -> Path:
    return Path(paths if isinstance(paths, str) else paths[0]).parent


def _release() -> None:
    """Give back the memory of a GPU that nothing uses any more."""
    if "torch" in sys.modules:
        import torch

        if torch.cuda.is_initialized():
            gc.collect()
            torch.cuda.empty_cache()


def _rows_in(path: Path) -> int:
    with path.open(encoding="utf-8") as file:
        return sum(1 for _ in file) - 1


def _device_name(device: str) -> str:
    if "torch" not in sys.modules:  # nothing was computed
        return device
    import torch

    try:
        chosen = jobs.start_torch(1, device)
    except DeviceError:
        return device
    return torch.cuda.get_device_name(chosen) if chosen.type == "cuda" else chosen.type


@contextmanager
def _sigterm_kept() -> Iterator[None]:
    """Undo what a training does to listen to SIGTERM."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
