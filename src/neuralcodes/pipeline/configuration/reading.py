"""The configuration: read, merge, validate; typed and frozen from here on."""

import csv
import json
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from neuralcodes.datasets import sources
from neuralcodes.datasets.prepared import DatasetSpec
from neuralcodes.perturbation import kinds
from neuralcodes.pipeline import architecturechecks, figuredata, yamlfiles
from neuralcodes.pipeline.configuration import recipes, whole
from neuralcodes.pipeline.validation import at, check, number_of, plain
from neuralcodes.storage import jobs, plugins
from neuralcodes.studies import checkpoints, expansion, hashruns, layout, levels, runs
from neuralcodes.studies.expansion import GENERATED, Study
from neuralcodes.studies.keys import refused, unknown
from neuralcodes.studies.settings import Settings

MIRROR_VARIABLE = "NEURALCODES_DATA_MIRROR"
RECIPES = Path("config/recipes.yaml")
HASH_RECIPES = Path("config/hash_recipes.yaml")
PRESETS = Path("config/presets")
CHOICES = Path("config/config.yaml")
PRESET_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"


def load(
    raw: Mapping[str, Any],
    root: Path,
    environ: Mapping[str, str] = os.environ,
    command_line: Mapping[str, Any] | None = None,
) -> Settings:
    """Merge recipes, preset and the user's own keys; import plugins; validate; expand the studies.

    Args:
        raw: the user's configuration: config/config.yaml and what the command line adds.
        root: the project's folder.
        environ: for the mirror's environment variable.
        command_line: the part of `raw` that the command line gave, where numbers may be text.

    Returns:
        The settings.

    Raises:
        ConfigError: one line that names the key, the value and what is allowed.
    """
    preset, chosen = _read_preset(raw, root)
    merged = merge(
        {
            "recipes": yamlfiles.read(root / RECIPES),
            "hash_recipes": yamlfiles.read(root / HASH_RECIPES),
        },
        chosen,
    )
    given = plain(merge(merged, raw))
    start = {name: given[name] for name in whole.Start.model_fields if name in given}
    plugins.load(check(whole.Start, start, (), command_line)["plugins"])
    filled = check(whole.Configuration, given, (), command_line)
    _check_recipe_values(filled, command_line or {})
    mirror = filled["data"]["mirror"] or environ.get(MIRROR_VARIABLE) or None
    return _settings(preset, filled, mirror, _expand(filled))


def options(raw: Mapping[str, Any], root: Path) -> str:
    """Write the options of snakemake that give a configuration again, in this project.

    Args:
        raw: the user's configuration, as for `load`.
        root: the project's folder.

    Returns:
        The preset, and what differs from config/config.yaml, ready for a shell.
    """
    usual = yamlfiles.read(root / CHOICES)
    chosen = {
        name: value
        for name, value in raw.items()
        if name == "preset" or name not in usual or usual[name] != value
    }
    words = [
        f"{name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in chosen.items()
    ]
    return shlex.join(["--config", *words])


def preset_of_targets(arguments: Sequence[str], root: Path) -> str | None:
    """Find the preset whose tables or figures are asked for, so that a file's path is enough.

    Args:
        arguments: of the command line.
        root: the project's folder.

    Returns:
        The preset of the first `.../{preset}/figures/...`, `.../{preset}/tables/...` or
        `.../{preset}/report.html`, or None.
    """
    known = {path.stem for path in (root / PRESETS).glob("*.yaml")}
    for argument in arguments:
        *folders, name = Path(argument).parts or ("",)
        if folders[-1:] in (["figures"], ["tables"]):
            folders.pop()
        elif name != layout.REPORT:
            continue
        if folders and folders[-1] in known:
            return folders[-1]
    return None


def write_run_table(settings: Settings) -> None:
    """Add the configuration's runs to results/runs.csv, which maps ids to all fields.

    Ids are addresses of content, so runs of other presets and of before stay in it.

    Args:
        settings: the configuration.
    """
    path = Path(settings.results) / "runs.csv"
    known: dict[str, dict[str, object]] = {}
    if path.is_file():
        with path.open(newline="", encoding="utf-8") as file:
            known = {row["run"]: row for row in csv.DictReader(file)}
    known |= {run: {"run": run, **each.to_dict()} for run, each in settings.runs.items()}
    with jobs.atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        columns = dict.fromkeys(["run", *runs.FIELDS, *hashruns.FIELDS])
        writer = csv.DictWriter(file, list(columns), lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(known[run] for run in sorted(known))


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one configuration over another: mappings merge, everything else replaces.

    Args:
        below: the one that gives way.
        above: the one that wins.
    """
    merged = dict(below)
    for name, value in above.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        merged[name] = merge(merged[name], value) if both else value
    return merged


def _settings(
    preset: str, filled: Mapping[str, Any], mirror: str | None, expanded: Mapping[str, Study]
) -> Settings:
    accuracy_levels, code_levels = levels.of_configuration(
        filled["perturbations"],
        filled["metrics"]["knn_k"],
        {name: kinds.get(name) for name in kinds.names()},
    )
    return Settings(
        preset=preset,
        device=filled["device"],
        devices=filled["devices"],
        jobs_per_gpu=filled["jobs_per_gpu"],
        deterministic=filled["deterministic"],
        slurm=filled["slurm"],
        plugins=tuple(filled["plugins"]),
        results=filled["results"],
        data_directory=filled["data"]["directory"],
        downloads=filled["data"]["downloads"],
        mirror=mirror,
        metrics=filled["metrics"],
        accuracy_levels=accuracy_levels,
        code_levels=code_levels,
        tests={kind: kinds.get(kind).variants for kind in accuracy_levels.levels},
        random_examples=filled["random_inputs"]["examples"],
        region_examples=filled["region_examples"],
        manifolds=filled["manifolds"],
        retrieval=filled["retrieval"],
        datasets={
            name: DatasetSpec(name=name, source=each["source"], path=each["path"])
            for name, each in filled["datasets"].items()
            if each["source"] != GENERATED
        },
        labels={name: each["label"] or name for name, each in filled["datasets"].items()},
        studies=expanded,
        selected=tuple(filled["only"])
        or tuple(name for name, study in expanded.items() if not study.optional),
        runs={point.run.id: point.run for each in expanded.values() for point in each.points},
        checkpoints=_checkpoints(expanded),
    )


def _read_preset(raw: Mapping[str, Any], root: Path) -> tuple[str, Mapping[str, Any]]:
    name = raw.get("preset")
    known = [*sorted(path.stem for path in (root / PRESETS).glob("*.yaml")), "a YAML file's path"]
    if not isinstance(name, str) or not name:
        raise refused(("preset",), name, ", ".join(known))
    for path in (root / PRESETS / f"{name}.yaml", Path(name)):
        if _is_file(path):
            break
    else:
        raise unknown(("preset",), name, known, "preset")
    if not re.fullmatch(PRESET_NAME, path.stem):
        raise refused(
            ("preset",), name, "its file's name may have letters, digits, _, - and . alone"
        )
    content = yamlfiles.read(path)
    if "preset" in content:
        raise refused(("preset",), name, f"{path} names a preset itself; take that key out")
    return path.stem, content


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long for the file system
        return False


def _check_recipe_values(filled: Mapping[str, Any], command_line: Mapping[str, Any]) -> None:
    """Hold every factor value and every `set` key to the recipe's model, of one kind only."""
    for name in filled["recipes"]:
        if name in filled["hash_recipes"]:
            raise refused(("hash_recipes", name), ..., "a key of recipes has that name")
    for name, study in filled["studies"].items():
        path = ("studies", name)
        hashing = study["recipe"] in filled["hash_recipes"]
        if not hashing and study["recipe"] not in filled["recipes"]:
            continue  # refused by name, once the studies are expanded
        recipe = recipes.HashRecipe if hashing else recipes.Recipe
        factors = recipes.HashFactors if hashing else recipes.Factors
        check(recipe, study["set"], (*path, "set"), command_line)
        # a factor that is no key of the recipe is refused by name later too
        fields = recipe.model_fields
        known = {name: each for name, each in study["factors"].items() if name in fields}
        check(factors, known, (*path, "factors"), command_line)
        where = study["figure"]["where"]
        for factor, value in where.items():
            if at(command_line, (*path, "figure", "where", factor)) == value:
                text = isinstance(value, str) and value in known.get(factor, ())
                where[factor] = value if text else number_of(value)


def _expand(filled: Mapping[str, Any]) -> dict[str, Study]:
    kinds_of_source = {name: each["source"] for name, each in filled["datasets"].items()}
    sizes = {name: sources.get(name).training_examples for name in sources.names()}
    for name, each in filled["datasets"].items():
        if (each["path"] is None) == _needs_path(each["source"]):
            need = "needs one" if each["path"] is None else "takes none; take it out"
            raise refused(("datasets", name, "path"), each["path"], f"{each['source']} {need}")
    for position, name in enumerate(filled["only"]):
        if name not in filled["studies"]:
            raise unknown(("only", position), name, filled["studies"], "study")
    if expansion.SCHEMATIC in filled["studies"]:
        raise refused(("studies", expansion.SCHEMATIC), ..., "a figure without data has that name")
    if layout.SCORECARD_NAME in filled["studies"]:
        raise refused(
            ("studies", layout.SCORECARD_NAME), ..., "the scorecard's table has that name"
        )
    expanded = {
        name: expansion.expand(
            *(name, raw, filled["recipes"], kinds_of_source, sizes, filled["seeds_per_chunk"]),
            filled["hash_recipes"],
        )
        for name, raw in filled["studies"].items()
    }
    for study in expanded.values():
        architecturechecks.check(study, filled["studies"][study.name])
        figuredata.check(study, filled["metrics"]["names"], filled["perturbations"])
    return expanded


def _needs_path(source: str) -> bool:
    return source != GENERATED and sources.get(source).needs_path


def _checkpoints(expanded: Mapping[str, Study]) -> dict[str, tuple[str, ...]]:
    """Collect the checkpoints that any study wants of each run."""
    wanted: dict[str, set[str]] = {}
    for study in expanded.values():
        for point in study.points:
            wanted.setdefault(point.run.id, set()).update(study.checkpoints)
    return {run: tuple(sorted(names, key=checkpoints.order)) for run, names in wanted.items()}
