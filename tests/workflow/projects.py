"""A copy of the project, and the real snakemake in it."""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
PARTS = ("Snakefile", "rules", "workflow", "config", "profiles", "src", "envs")
# What a test decides itself, whatever the developer's own shell says.
UNSET = (
    "NEURALCODES_DATA_MIRROR",
    "SNAKEMAKE_OUTPUT_CACHE",
    "SNAKEMAKE_PROFILE",
    "PYTHONPATH",
    "PYTHONWARNINGS",
)
FINISHED = "NEURALCODES_FINISHED"
VERSION_OF_THE_COPY = "0.0.0+copy"
PRESET = "config/presets/tiny.yaml"
HASHING = {
    **{"width": 20, "hash_width": 8, "manifolds": 5, "points": 4},
    **{"steps": 6, "warmup_steps": 2, "batch_size": 8},
}
OF_MANIFOLDS = {
    **{"paper": "dikkala2021", "dataset": "manifolds", "recipe": "small", "seeds": ["0-1"]},
}
TINY = {
    "datasets": {"digits": {"source": "digits"}, "manifolds": {"source": "generated"}},
    "recipes": {
        "tiny": {"epochs": 3, "patience": 0},
        "descent": {
            **{"width": 5, "batch_norm": False, "batch_size": None, "input_scaling": "raw"},
            **{"initializer": "torch_default", "optimizer": "sgd", "learning_rate": 0.01},
            **{"schedule": "constant", "weight_decay": 0, "validation_fraction": 0},
            **{"epochs": 20, "patience": 0},
        },
    },
    "hash_recipes": {
        "small": {"family": "poly", "gamma_dim": 3, **HASHING},
        "pictures": {"family": "images", "network": "cnn", **HASHING},
    },
    "seeds_per_chunk": 1,
    "metrics": {"kmeans_restarts": 1},
    "random_inputs": {"examples": 50},
    "region_examples": 20,
    "perturbations": {
        "levels": {"scale": [0.1, 1], "clip": [0.5, 1], "offset": [-0.1, 0, 0.1]},
        "equal_changes": [0.1],
        "code_levels": {"scale": [10], "clip": [0.5], "offset": [0.1]},
    },
    "manifolds": {
        **{"unseen": 12, "points": 4, "seen": 4, "centre_points": 16, "ways": [3], "episodes": 3},
        **{"pairs": 30, "angles": [0, 60, 180], "planes": 16, "shown": 2},
    },
    "retrieval": {"manifolds": 12, "queries": 10},
    "studies": {
        "widths": {
            "dataset": "digits",
            "recipe": "tiny",
            "factors": {"width": [2, 4]},
            "seeds": 2,
            "checkpoints": [0, 2, "final"],
            "figure": {"kind": "curves", "x": "epoch", "line": "width", "scale": "log"},
        },
        "everything": {
            "dataset": "digits",
            "recipe": "tiny",
            "set": {"depth": 2},
            "factors": {"width": [4]},
            "seeds": 1,
            "measures": ["codes", "layers", "random_inputs", "regions", "retrieval"],
            "figure": {"kind": "layers", "line": "width"},
        },
        "perturbed": {
            "paper": "oursland2024",
            "dataset": "digits",
            "recipe": "descent",
            "factors": {"activation": ["relu", "abs"]},
            "seeds": ["0-1"],
            "measures": ["perturbations", "perturbed_codes", "preactivations"],
            "significance": True,
            "figure": {"kind": "perturbations"},
        },
        "descent": {
            "paper": "oursland2024",
            "dataset": "digits",
            "recipe": "descent",
            "factors": {"activation": ["relu", "abs"]},
            "seeds": ["0-1"],
            "checkpoints": ["accuracy10", "accuracy100", "final"],
            "measures": ["history"],
            "figure": {"kind": "training"},
        },
        "manifolds": {
            **OF_MANIFOLDS,
            "factors": {"weight_decay": [0, 3]},
            "measures": ["manifolds"],
            "figure": {"kind": "manifold_sweep", "x": "weight_decay"},
        },
        # The next two measure one network of the study before.
        "locality": {
            **OF_MANIFOLDS,
            "factors": {"manifolds": [5]},
            "measures": ["locality", "embedding"],
            "figure": {"kind": "lsh_curve"},
        },
        "search": {
            **OF_MANIFOLDS,
            "factors": {"hash_width": [8]},
            "measures": ["retrieval"],
            "figure": {"kind": "retrieval", "x": "hash_width"},
        },
        "images": {
            "paper": "dikkala2021",
            "dataset": "digits",
            "recipe": "pictures",
            "factors": {"classes": ["0-4"]},
            "seeds": 1,
            "measures": ["manifolds"],
            "figure": {"kind": "manifold_sweep", "x": "classes"},
        },
    },
}


@dataclass(frozen=True)
class Project:
    """A copy of the project whose preset is `tiny`."""

    folder: Path

    def snakemake(
        self,
        *arguments: str,
        cores: int = 1,
        stderr: int = subprocess.STDOUT,
        start_new_session: bool = False,
        **environment: str,
    ) -> subprocess.CompletedProcess[str]:
        """Run snakemake; its standard error is in `stdout` too, unless it is asked for apart."""
        return subprocess.run(
            self.command(*arguments, cores=cores),
            cwd=self.folder,
            env=self.environment(**environment),
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=start_new_session,
            text=True,
            timeout=900,  # a busy machine takes long for the finished project
            check=False,
        )

    def command(self, *arguments: str, cores: int = 1) -> list[str]:
        return [sys.executable, "-m", "snakemake", *arguments, "--cores", str(cores)]

    def environment(self, **environment: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in UNSET}
        return {**kept, "OMP_NUM_THREADS": "1", **environment}

    def run(self, *arguments: str, cores: int = 1, **environment: str) -> list[str]:
        """Run snakemake, which must succeed; the jobs that it ran."""
        done = self.snakemake(*arguments, cores=cores, **environment)
        assert done.returncode == 0, done.stdout
        return jobs(done.stdout)

    def planned(self, *arguments: str, **options: Any) -> list[str]:
        """The jobs that `snakemake -n` lists; it must count as many."""
        done = self.snakemake("-n", *arguments, **options)
        assert done.returncode == 0, done.stdout
        listed = jobs(done.stdout)
        counted = re.search(r"^total +(\d+)$", done.stdout, re.MULTILINE)
        targets = len(re.findall(r"^(?:local)?rule all:$", done.stdout, re.MULTILINE))
        assert len(listed) + targets == (int(counted[1]) if counted else 0), done.stdout
        assert ("Nothing to be done" in done.stdout) == (not listed), done.stdout
        return listed

    def configure(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Change the preset."""
        path = self.folder / PRESET
        preset = yaml.safe_load(path.read_text())
        change(preset)
        path.write_text(yaml.safe_dump(preset))

    def edit(self, path: str, change: Callable[[str], str]) -> None:
        """Change a file's text, which must be another one then."""
        before = (self.folder / path).read_text()
        (self.folder / path).write_text(change(before))
        assert (self.folder / path).read_text() != before

    def only(self, pattern: str) -> Path:
        """The one file that a pattern fits."""
        (found,) = self.folder.glob(pattern)
        return found

    def clone(self, folder: Path) -> "Project":
        """Copy the folder as it is, with all dates and what snakemake remembers."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder)


def jobs(output: str) -> list[str]:
    """The jobs in snakemake's output, sorted, e.g. `measure_codes mlp1x2 seeds0-0 epoch2`."""
    found = []
    for block in re.split(r"^(?=(?:local)?rule \w+:$)", output, flags=re.MULTILINE)[1:]:
        rule = re.match(r"(?:local)?rule (\w+):", block)[1]
        line = re.search(r"^ +wildcards: (.*)$", block, re.MULTILINE)
        values = dict(each.split("=") for each in line[1].split(", ")) if line else {}
        if rule != "all":
            found.append(" ".join([rule, *_shown(values)]))
    return sorted(found)


def _shown(wildcards: dict[str, str]) -> Iterator[str]:
    run = wildcards.get("run", wildcards.get("hash_run"))
    if run:
        yield run.split("-")[1]
        yield f"seeds{wildcards['first']}-{wildcards['last']}"
    if "epoch" in wildcards:
        yield f"epoch{wildcards['epoch']}"
    yield from (wildcards[name] for name in ("dataset", "study") if name in wildcards)


def copy_project(folder: Path) -> Project:
    """Copy the project's sources, and nothing that was computed."""
    folder.mkdir()
    for part in (*PARTS, "resources/published", "docs/fidelity.md"):
        source, target = ROOT / part, folder / part
        target.parent.mkdir(exist_ok=True)
        if source.is_file():
            shutil.copy2(source, target)
        else:
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg*"))
    project = Project(folder)
    project.edit(
        "src/neuralcodes/__init__.py",
        lambda text: re.sub('__version__ = ".*"', f'__version__ = "{VERSION_OF_THE_COPY}"', text),
    )
    project.edit("config/config.yaml", lambda text: text.replace("preset: digits", "preset: tiny"))
    (folder / PRESET).write_text(yaml.safe_dump(TINY))
    return project


def shared_folder(tmp_path_factory: Any) -> Path:
    """A folder that all processes of one pytest share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def finished_project(shared: Path) -> Project:
    """A copy in a folder that processes share; the first one runs everything, the others wait.

    The environment variable NEURALCODES_FINISHED names a folder that several pytests share.
    """
    if shared_by_all := os.environ.get(FINISHED):
        shared = Path(shared_by_all)
        shared.mkdir(parents=True, exist_ok=True)
    project, done = Project(shared / "finished"), shared / "finished.done"
    with (shared / "finished.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            copy_project(project.folder)
            project.run(cores=2)
            done.touch()
    return project
