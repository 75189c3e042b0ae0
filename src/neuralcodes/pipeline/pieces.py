"""The workflow's jobs, for machines without snakemake: which script makes what, of what.

`rules/*.smk` say the same to snakemake; tests hold the two together.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from neuralcodes.papers import conditions
from neuralcodes.pipeline import provenance
from neuralcodes.studies import checkpoints, expansion, layout
from neuralcodes.studies.expansion import Study
from neuralcodes.studies.hashruns import HashRun
from neuralcodes.studies.settings import Settings

SCRIPTS = Path("workflow/scripts")
STYLE = Path("config/figures.mplstyle")
PUBLISHED = Path("resources/published")

Paths = Mapping[str, str | list[str]]
_SPLITS = ("train", "test")

# What measures something, and what it reads.
MEASURES = {
    "codes": ("measure_codes", ("data", "codes")),
    "layers": ("measure_layers", ("data", "codes")),
    "random_inputs": ("measure_random_inputs", ("codes_of_random_inputs",)),
    "regions": ("measure_regions", ("data", "model")),
    "history": ("measure_history", ("history",)),
    "perturbations": ("perturb_ensemble", ("data", "model")),
    "perturbed_codes": ("perturb_codes", ("data", "model")),
    "preactivations": ("measure_preactivations", ("data", "model")),
    "manifolds": ("measure_manifolds", ("data", "model")),
    "locality": ("measure_locality", ("data", "model")),
    "embedding": ("measure_embedding", ("data", "model")),
    "retrieval": ("measure_retrieval", ("data", "codes")),
}
OF_HASH_NETWORKS = {**MEASURES, "retrieval": ("measure_hash_retrieval", ("data", "model"))}

# The params of rules whose jobs are of a run.
PARAMS: dict[str, Callable[[Settings, str], dict[str, Any]]] = {
    "train_ensemble": lambda settings, run: {
        "run": settings.runs[run].to_dict(),
        "checkpoints": settings.checkpoints[run],
    },
    "train_hash_ensemble": lambda settings, run: {"run": settings.runs[run].to_dict()},
    "encode_ensemble": lambda settings, run: {},
    "encode_random_inputs": lambda settings, run: {"examples": settings.random_examples},
    "measure_codes": lambda settings, run: {
        "run": settings.runs[run].to_dict(),
        "metrics": settings.metrics,
    },
    "measure_layers": lambda settings, run: {
        "run": settings.runs[run].to_dict(),
        "metrics": settings.metrics,
    },
    "measure_random_inputs": lambda settings, run: {"run": settings.runs[run].to_dict()},
    "measure_regions": lambda settings, run: {"examples": settings.region_examples},
    "measure_history": lambda settings, run: {},
    "perturb_ensemble": lambda settings, run: {"perturbations": asdict(settings.accuracy_levels)},
    "perturb_codes": lambda settings, run: {"perturbations": asdict(settings.code_levels)},
    "measure_preactivations": lambda settings, run: {},
    "measure_manifolds": lambda settings, run: {"settings": settings.manifolds},
    "measure_locality": lambda settings, run: {"settings": settings.manifolds},
    "measure_embedding": lambda settings, run: {"settings": settings.manifolds},
    "measure_retrieval": lambda settings, run: {
        "run": settings.runs[run].to_dict(),
        "queries": settings.retrieval["queries"],
    },
    "measure_hash_retrieval": lambda settings, run: {"settings": settings.retrieval},
}


@dataclass(frozen=True, eq=False)
class Piece:
    """One job.

    Attributes:
        rule: name of the rule and of the script.
        wildcards: what tells the rule's jobs apart.
        needs: the pieces that make its inputs.
        inputs: name -> path or paths.
        outputs: name -> path or paths.
        params: what else the script is given.
    """

    rule: str
    wildcards: Mapping[str, str]
    needs: tuple["Piece", ...]
    inputs: Paths
    outputs: Paths
    params: Mapping[str, Any]

    @property
    def names(self) -> list[str]:
        """Say which of the rule's jobs it is: its run, seeds and checkpoint, or its one name."""
        values = dict(self.wildcards)
        seeds = [f"seeds{values.pop('first')}-{values.pop('last')}"] if "first" in values else []
        epoch = [f"epoch{values.pop('epoch')}"] if "epoch" in values else []
        return [*values.values(), *seeds, *epoch]

    @property
    def finished(self) -> bool:
        """Whether all that it makes is there."""
        return all(Path(path).exists() for path in listed(self.outputs))


class Pieces:
    """The pieces of a configuration; each is made once."""

    def __init__(self, settings: Settings, root: Path) -> None:
        """Bind to a configuration.

        Args:
            settings: the configuration.
            root: the project's folder.
        """
        self.settings, self.root = settings, root
        self.known: dict[tuple[str, ...], Piece] = {}
        self.codes: dict[str, str] = {}

    def data(self, dataset: str) -> Piece:
        """Give the piece that prepares a dataset; one that is generated has none.

        Args:
            dataset: its name.
        """
        params = {"dataset": asdict(self.settings.datasets[dataset])}
        manifest = {"manifest": f"{self.settings.downloads}/{dataset}/manifest.json"}
        obtained = self._make("download_data", {"dataset": dataset}, (), {}, manifest, params)
        arrays = [f"{split}-{each}.npy" for split in _SPLITS for each in ("inputs", "labels")]
        folder = f"{self.settings.data_directory}/{dataset}"
        files = {"files": [f"{folder}/{name}" for name in ("dataset.json", *arrays)]}
        return self._make(
            "prepare_data", {"dataset": dataset}, (obtained,), manifest, files, params
        )

    def metrics(self, study: Study) -> list[Piece]:
        """List the pieces that measure a study, in the order of `layout.metric_files`.

        Args:
            study: one of the configuration's.
        """
        measured = [(e, m) for e in study.checkpoints for m in study.measures if m != "history"]
        if "history" in study.measures:
            measured.append((checkpoints.FINAL, "history"))
        return [
            self._measured(measure, point.run.id, chunk, epoch)
            for point in study.points
            for chunk in study.chunks
            for epoch, measure in measured
        ]

    def table(self, study: Study) -> Piece:
        """Give the piece that joins a study's metrics.

        Args:
            study: one of the configuration's.
        """
        data = [self.data(study.dataset)] if study.dataset in self.settings.datasets else []
        metrics = self.metrics(study)
        inputs = {
            "data": [listed(piece.outputs)[0] for piece in data],
            "metrics": [path for piece in metrics for path in listed(piece.outputs)],
        }
        stem = self._stem(study)
        outputs = {"table": f"{stem}.csv", "summary": f"{stem}.summary.csv"}
        params = {"points": layout.grid(study), "held_out": layout.held_out(study)}
        return self._make("tabulate_study", _of(study), (*data, *metrics), inputs, outputs, params)

    def printed(self, study: Study) -> list[Piece]:
        """List the pieces that print tables of a study's tests and of its retrieval, if it has any.

        Args:
            study: one of the configuration's.
        """
        pieces = [self._tests(study)] if study.significance else []
        if "retrieval" in study.measures:
            table, stem = self.table(study), self._stem(study)
            files = {"files": [f"{stem}.retrieval.{each}" for each in layout.TABLE_FORMATS]}
            params = {
                "factors": study.factors,
                "dataset": self.settings.labels[study.dataset],
                "group": layout.searched_group(study),
            }
            summary = {"summary": table.outputs["summary"]}
            pieces.append(
                self._make("typeset_retrieval", _of(study), (table,), summary, files, params)
            )
        return pieces

    def figures(self, study: Study) -> list[Piece]:
        """List the pieces that draw a study's figure, and the schematic of its paper.

        Args:
            study: one of the configuration's.
        """
        table, style = self.table(study), {"style": str(self.root / STYLE)}
        inputs = {
            **style,
            "summary": table.outputs["summary"],
            "published": conditions.published_files(study, str(self.root / PUBLISHED)),
        }
        params = {
            "title": layout.title_of(self.settings, study),
            "figure": study.figure,
            "factors": study.factors,
        }
        files = self._figure_files(study.name)
        pieces = [self._make("plot_study", _of(study), (table,), inputs, files, params)]
        if study.paper == "oursland2024":
            files = self._figure_files(expansion.SCHEMATIC)
            pieces.append(self._make("plot_schematic", {}, (), style, files, {}))
        return pieces

    def script(self, rule: str) -> Path:
        """Find a rule's script.

        Args:
            rule: its name.
        """
        return self.root / SCRIPTS / f"{rule}.py"

    def _measured(self, measure: str, run: str, chunk: tuple[int, int], epoch: str) -> Piece:
        hashing = self._hashing(run)
        rule, reads = (OF_HASH_NETWORKS if hashing else MEASURES)[measure]
        needs, inputs = self._inputs(run, chunk, reads)
        stem = f"{self.settings.results}/metrics/{run}/{_seeds(chunk)}/epoch{epoch}"
        outputs = {"metrics": f"{stem}{layout.ENDINGS[measure]}"}
        wildcards = {**self._wildcards(run, chunk), "epoch": epoch}
        return self._make(rule, wildcards, needs, inputs, outputs, PARAMS[rule](self.settings, run))

    def _inputs(
        self, run: str, chunk: tuple[int, int], reads: Iterable[str]
    ) -> tuple[tuple[Piece, ...], dict[str, str | list[str]]]:
        """Give what a job of an ensemble reads, and the pieces that make it."""
        needs: list[Piece] = []
        inputs: dict[str, str | list[str]] = {}
        for name in reads:
            if name == "data":
                dataset = self.settings.runs[run].dataset
                data = [self.data(dataset)] if dataset in self.settings.datasets else []
                needs += data
                described = [listed(piece.outputs)[0] for piece in data]
                inputs["data"] = described if self._hashing(run) else described[0]
            elif name in ("model", "history"):
                needs.append(self._trained(run, chunk))
                inputs[name] = needs[-1].outputs[name]
            else:
                needs.append(self._encoded(name, run, chunk))
                inputs["codes"] = needs[-1].outputs["folder"]
        return tuple(needs), inputs

    def _trained(self, run: str, chunk: tuple[int, int]) -> Piece:
        rule = "train_hash_ensemble" if self._hashing(run) else "train_ensemble"
        needs, inputs = self._inputs(run, chunk, ("data",))
        stem = f"{self.settings.results}/models/{run}/{_seeds(chunk)}"
        outputs = {"model": f"{stem}.safetensors", "history": f"{stem}.history.csv"}
        params = {**PARAMS[rule](self.settings, run), "code": self._code(rule)}
        return self._make(rule, self._wildcards(run, chunk), needs, inputs, outputs, params)

    def _encoded(self, folder: str, run: str, chunk: tuple[int, int]) -> Piece:
        rule = "encode_ensemble" if folder == "codes" else "encode_random_inputs"
        needs, inputs = self._inputs(run, chunk, ("data", "model"))
        outputs = {"folder": f"{self.settings.results}/{folder}/{run}/{_seeds(chunk)}"}
        params = PARAMS[rule](self.settings, run)
        return self._make(rule, self._wildcards(run, chunk), needs, inputs, outputs, params)

    def _tests(self, study: Study) -> Piece:
        table, stem = self.table(study), self._stem(study)
        kinds = list(self.settings.accuracy_levels.levels)
        tests = {
            "train": f"{stem}.significance.csv",
            "test": f"{stem}.significance_test_split.csv",
            "unperturbed": f"{stem}.unperturbed.csv",
        }
        tested = self._make(
            *("tabulate_significance", _of(study), (table,), {"table": table.outputs["table"]}),
            tests,
            {"factors": study.factors, "kinds": kinds},
        )
        inputs = {
            **{name: tests[name] for name in ("train", "unperturbed")},
            "published": conditions.published_files(study, str(self.root / PUBLISHED)),
        }
        return self._make(
            *("typeset_significance", _of(study), (tested,), inputs),
            {"files": layout.typeset_files(stem, self.settings.tests)},
            {"kinds": kinds, "captions": layout.captions(self.settings, study)},
        )

    def _make(
        self,
        rule: str,
        wildcards: Mapping[str, str],
        needs: tuple[Piece, ...],
        inputs: Paths,
        outputs: Paths,
        params: Mapping[str, Any],
    ) -> Piece:
        piece = Piece(rule, wildcards, needs, inputs, outputs, params)
        return self.known.setdefault((rule, *wildcards.values()), piece)

    def _hashing(self, run: str) -> bool:
        return isinstance(self.settings.runs[run], HashRun)

    def _wildcards(self, run: str, chunk: tuple[int, int]) -> dict[str, str]:
        name = "hash_run" if self._hashing(run) else "run"
        return {name: run, "first": str(chunk[0]), "last": str(chunk[1])}

    def _code(self, rule: str) -> str:
        if rule not in self.codes:
            self.codes[rule] = provenance.fingerprint(self.script(rule))
        return self.codes[rule]

    def _stem(self, study: Study) -> str:
        return f"{self.settings.results}/{self.settings.preset}/tables/{study.name}"

    def _figure_files(self, name: str) -> dict[str, str]:
        folder = f"{self.settings.results}/{self.settings.preset}/figures"
        return {each: f"{folder}/{name}.{each}" for each in layout.FORMATS}


def listed(paths: Paths) -> list[str]:
    """List all paths, one after the other.

    Args:
        paths: name -> path or paths.
    """
    return [
        each
        for several in paths.values()
        for each in ([several] if isinstance(several, str) else several)
    ]


def _of(study: Study) -> dict[str, str]:
    return {"study": study.name}


def _seeds(chunk: tuple[int, int]) -> str:
    return f"seeds{chunk[0]}-{chunk[1]}"
