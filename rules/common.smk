"""Configuration, input functions and wildcards shared by all rules."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

PROJECT = Path(workflow.basedir)
# the library beside this workflow is the one that runs, here and in the jobs
sys.path.insert(0, str(PROJECT / "src"))
os.environ.update(
    PYTHONPATH=os.pathsep.join(filter(None, [str(PROJECT / "src"), os.environ.get("PYTHONPATH")]))
)

from neuralcodes.errors import NeuralcodesError
from neuralcodes.measures import files, registry
from neuralcodes.papers import conditions
from neuralcodes.pipeline import configuration, placement, provenance, reportmarks, unlocking
from neuralcodes.storage import checksums, jobs, plugins
from neuralcodes.studies import expansion, layout

# jobs end when this process does
os.environ[jobs.SNAKEMAKE_VARIABLE] = str(os.getpid())

asked = configuration.preset_of_targets(sys.argv[1:], PROJECT)
if asked and "preset" not in workflow.config_settings.overwrite_config:
    # jobs elsewhere see only one rule's files, so that they are told as if by --config
    workflow.config_settings.overwrite_config["preset"] = config["preset"] = asked

try:
    # of two that run, snakemake refuses the second; after a kill the same command goes on
    if workflow.is_main_process and unlocking.take_part(".snakemake"):
        logger.warning("The lock of a snakemake that was killed is removed.")
    SETTINGS = configuration.load(
        config, PROJECT, os.environ, command_line=workflow.config_settings.config
    )
except NeuralcodesError as error:
    raise WorkflowError(str(error)) from None

# environment variables, since they are no reason to run anything again
if SETTINGS.mirror:
    os.environ[configuration.MIRROR_VARIABLE] = SETTINGS.mirror
os.environ[plugins.VARIABLE] = json.dumps(SETTINGS.plugins)
if SETTINGS.deterministic:
    os.environ[jobs.DETERMINISTIC_VARIABLE] = "1"

LOCAL = workflow.local_exec
if LOCAL and "gpu" not in workflow.global_resources:
    workflow.global_resources["gpu"] = SETTINGS.jobs_per_gpu
for name, value in placement.cluster_resources(SETTINGS).items():
    workflow.resource_settings._parsed_default_resources[name] = value

RESULTS = SETTINGS.results
DATA = SETTINGS.data_directory
PRESET = f"{RESULTS}/{SETTINGS.preset}"
# relative, so that a project that was moved or copied has nothing to do
STYLE = os.path.relpath(PROJECT / "config/figures.mplstyle")
PUBLISHED = os.path.relpath(PROJECT / "resources/published")


wildcard_constraints:
    dataset=r"[a-z0-9_]+",
    run=r"[a-z0-9_]+-(?!hash\d)[a-z_]+\d+x\d+-[0-9a-f]{8}",
    hash_run=r"[a-z0-9_]+-(hash\d+x|cnn)\d+-[0-9a-f]{8}",
    first=r"\d+",
    last=r"\d+",
    epoch=r"\d+|accuracy\d+|final",
    study="|".join(SETTINGS.studies),


onstart:
    try:
        configuration.write_run_table(SETTINGS)
    except NeuralcodesError as error:
        raise WorkflowError(str(error)) from None


def code_of(script, looks=False):
    """Fingerprint of the library and plugins below a script; with looks, of one that draws."""
    path = PROJECT / "workflow/scripts" / f"{script}.py"
    return provenance.fingerprint(path, looks, plugins=SETTINGS.plugins)


def code_of_measure(measure):
    """Fingerprint of the module that declares a measure, and of the code below it."""
    path = Path(sys.modules[measure.module].__file__)
    return provenance.fingerprint(path, itself=True, plugins=SETTINGS.plugins)


def placed(rule):
    """Device, GPU and partition of a rule's jobs, as resources."""
    return placement.job_resources(SETTINGS, rule, LOCAL)


def placed_measure(measure):
    """Device, GPU and partition of a measure's jobs; none where it computes on no device."""
    if not measure.device:
        return {}
    return placement.job_resources(SETTINGS, measure.rule, LOCAL, measure=measure.name)


def needs_of(measure):
    """Name -> file, or function that names it, of what a measure's jobs read."""
    train = rules.train_ensemble if measure.of == "run" else rules.train_hash_ensemble
    made = {
        "data": data_of_run if measure.of == "run" else data_of_hash_run,
        "model": train.output.model,
        "history": train.output.history,
        "codes": rules.encode_ensemble.output[0],
        "random_codes": rules.encode_random_inputs.output[0],
    }
    return {name: made[name] for name in measure.needs}


def fields_of_run(wildcards):
    """All fields of the run that a job measures."""
    given = dict(wildcards.items())
    return SETTINGS.runs[given.get("run") or given["hash_run"]].to_dict()


def content_of_source(wildcards):
    """Digest of the user's own folder, archive or file of a dataset; None for official data."""
    path = SETTINGS.datasets[wildcards.dataset].path
    # relative to this folder or to the mirror; an absolute path stays what it is
    places = [Path(each, path or "").expanduser() for each in ("", SETTINGS.mirror or "")]
    return next((checksums.checksum(each) for each in places if path and each.exists()), None)


def data_of_run(wildcards):
    """The prepared dataset that a run is trained on."""
    return f"{DATA}/{SETTINGS.runs[wildcards.run].dataset}/dataset.json"


def data_of_hash_run(wildcards):
    """The prepared dataset whose images are a hash network's manifolds; none if generated."""
    dataset = SETTINGS.runs[wildcards.hash_run].dataset
    return [f"{DATA}/{dataset}/dataset.json"] if dataset in SETTINGS.datasets else []


def metrics_of_study(wildcards):
    """All metric files of a study."""
    return files.metric_files(SETTINGS, SETTINGS.studies[wildcards.study])


def data_of_study(wildcards):
    """The prepared dataset that a study asks its question of; none if it is generated."""
    dataset = SETTINGS.studies[wildcards.study].dataset
    return [f"{DATA}/{dataset}/dataset.json"] if dataset in SETTINGS.datasets else []


def published_of_study(wildcards):
    """The published values that a study's figure and tables show, if any."""
    return conditions.published_files(SETTINGS.studies[wildcards.study], PUBLISHED)
