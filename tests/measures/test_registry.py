"""Every measure of the registry, built-in or added, keeps what this file asks of all of them."""

import dataclasses
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from neuralcodes.measures import registry
from neuralcodes.measures.declaration import Job, Measure
from neuralcodes.metrics import registry as metrics
from neuralcodes.metrics.declaration import Quantity
from neuralcodes.pipeline import configuration

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")
MEASURES = registry.all_measures()
of_every_measure = pytest.mark.parametrize("measure", MEASURES, ids=lambda each: each.rule)
# what is asked for on manifolds where a small network has few
FEW = {
    **{"unseen": 24, "points": 4, "seen": 5, "centre_points": 20, "ways": [3, 7]},
    **{"episodes": 4, "pairs": 60, "angles": [0, 60, 90, 180], "planes": 16, "shown": 3},
}


@pytest.fixture(scope="module")
def settings():
    return configuration.load({"preset": "digits"}, ROOT, {})


@pytest.fixture(scope="module")
def jobs(encode, toy, make_hash_run, train_hash, settings):
    """A job of every measure, on small networks."""
    run, codes = encode(depth=2, width=10)
    model = codes.parent / "results/models/run/seeds0-2.safetensors"
    hash_run = make_hash_run()
    made = {
        "run": Job(
            **{"run": run, "seeds": [0, 1, 2], "epoch": "final", "device": CPU, "data": toy},
            **{"model": model, "history": model.with_suffix(".csv")},
            **{"codes": codes, "random_codes": codes},
        ),
        "hash_run": Job(
            **{"run": hash_run, "seeds": [0, 3], "epoch": "final", "device": CPU},
            model=train_hash(hash_run, [0, 3]),
        ),
    }

    def build(measure):
        given = dict(measure.settings(settings))
        given |= {name: value for name, value in FEW.items() if name in given}
        job = dataclasses.replace(made[measure.of], settings=given)
        unneeded = {"data", "model", "history", "codes", "random_codes"} - {*measure.needs}
        return dataclasses.replace(job, **dict.fromkeys(unneeded))

    return build


@of_every_measure
def test_its_rows_have_its_columns_and_its_metrics(measure, jobs):
    job = jobs(measure)
    columns = measure.columns
    table = [dict(zip(columns, row, strict=True)) for row in measure.rows(job)]
    assert columns[:4] == ("run", "seed", "epoch", "split")
    assert columns[-2:] == ("metric", "value")
    assert {row["run"] for row in table} == {job.run.id}
    assert {row["seed"] for row in table} <= set(job.seeds)
    keys = [tuple(row[name] for name in columns[:-1]) for row in table]
    assert len(set(keys)) == len(keys), "each measurement stands once"
    found = {row["metric"] for row in table}
    declared = [each.name if isinstance(each, Quantity) else each for each in measure.metrics]
    patterns = [re.sub(r"\{\w+\}", r"\\d+", name) for name in declared]
    for name in found:
        assert any(re.fullmatch(each, name) for each in patterns), f"{name} is not declared"
    for each in patterns:
        assert any(re.fullmatch(each, name) for name in found), f"{each} was not measured"


@of_every_measure
def test_it_reads_no_file_that_it_does_not_need(measure, jobs):
    for need in measure.needs:
        job = dataclasses.replace(jobs(measure), **{need: None})
        if need == "data" and measure.of == "hash_run":
            continue  # generated manifolds need none
        with pytest.raises((TypeError, AttributeError, ValueError, OSError)):
            list(measure.rows(job))


@of_every_measure
def test_its_names_fit_into_those_of_rules_and_files(measure):
    assert re.fullmatch(r"[a-z_]+", measure.name)
    assert re.fullmatch(r"(measure|perturb)_[a-z_]+", measure.rule)
    assert importlib.import_module(measure.module).MEASURE is measure
    assert measure.threads >= 1
    assert measure.memory > 0
    assert measure.minutes > 0


def test_no_two_write_the_same_files():
    files = [(each.of, each.ending) for each in MEASURES]
    assert len(set(files)) == len(files)
    assert registry.names("run")[0] == "codes"
    assert "retrieval" in {*registry.names("run")} & {*registry.names("hash_run")}


def test_every_quantity_is_declared_once():
    names = [each.name for each in registry.quantities()]
    assert len(set(names)) == len(names)
    assert names[: len(metrics.names())] == list(metrics.names())


def test_a_look_is_found_by_the_name_in_a_table():
    assert registry.look("redundancy_ratio").axis == "Redundancy ratio"
    assert registry.look("code_length").axis == "Code length (units)"
    assert registry.look("one_shot_accuracy_20").axis == "One-shot accuracy, 20-way"
    assert registry.look("one_shot_hamming_accuracy_5").axis == "One-shot Hamming, 5-way"
    assert registry.look("one_shot_accuracy_many") is None
    assert registry.look("recall_at_10").label == "Recall@10"
    assert registry.look("effective_rank") is None


def test_declarations_import_nothing_heavy():
    program = "import sys; from neuralcodes.measures import files, registry; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    heavy = {"torch", "sklearn", "scipy", "pandas", "matplotlib", "faiss", "snakemake"}
    assert heavy.isdisjoint(done.stdout.split())
    assert "neuralcodes.measures.codes" in done.stdout.split()


def test_a_job_is_read_from_what_snakemake_gives(make_run, make_hash_run):
    run = make_run(width=4)
    of = {each.rule: each for each in MEASURES}
    job = Job.of(
        of["measure_codes"],
        {"run": run.id, "first": "3", "last": "5", "epoch": "final"},
        {"data": "data/toy/dataset.json", "codes": "results/codes/x"},
        {"run": run.to_dict(), "settings": {"knn_k": 3}},
        None,
    )
    assert (job.run, list(job.seeds), job.epoch) == (run, [3, 4, 5], "final")
    assert (str(job.data), str(job.codes)) == ("data/toy", "results/codes/x")
    assert job.manifest == ["data/toy/dataset.json"]
    hashed = make_hash_run()
    job = Job.of(
        of["measure_hash_retrieval"],
        {"hash_run": hashed.id, "first": "0", "last": "0", "epoch": "final"},
        {"data": [], "model": "m.safetensors"},
        {"run": hashed.to_dict(), "settings": {}},
        CPU,
    )
    assert (job.run, job.data, job.manifest) == (hashed, None, [])
    job = Job.of(
        of["measure_hash_retrieval"],
        {"hash_run": hashed.id, "first": "0", "last": "0", "epoch": "final"},
        {"data": ["data/toy/dataset.json"], "model": "m.safetensors"},
        {"run": hashed.to_dict(), "settings": {}},
        CPU,
    )
    assert job.manifest == ["data/toy/dataset.json"]


OWN = '''
"""How many seeds an ensemble has."""

from neuralcodes.measures import registry
from neuralcodes.measures.declaration import Measure
from neuralcodes.metrics.declaration import Look, Quantity

MEASURE = Measure(
    name="seeds",
    needs=("codes",),
    rows=lambda job: [
        (job.run.id, seed, job.epoch, "train", "seeds", len(job.seeds)) for seed in job.seeds
    ],
    memory=100,
    minutes=1,
    metrics=(Quantity(name="seeds", look=Look("Seeds of the ensemble")),),
)
registry.register(MEASURE)
'''


def test_a_measure_in_a_file_of_ones_own_is_one_like_any_other(tmp_path, monkeypatch, jobs):
    monkeypatch.setattr(registry, "_known", dict(registry._known))
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_measure.py").write_text(OWN)
    measure = registry.get("measure_seeds", "own_measure")
    assert measure.ending == ".seeds.csv"
    assert "seeds" in registry.names("run")
    assert registry.look("seeds").axis == "Seeds of the ensemble"
    assert [row[-1] for row in measure.rows(jobs(measure))] == [3, 3, 3]
    with pytest.raises(ValueError, match="a measure seeds with the rule measure_seeds already"):
        registry.register(dataclasses.replace(measure, memory=200))
    with pytest.raises(ValueError, match="a measure codes with the rule measure_codes already"):
        registry.register(dataclasses.replace(measure, rule="measure_others", name="codes"))


def test_a_measure_without_a_rule_of_its_own_has_one_of_its_name():
    plain = Measure(name="x", rows=list, metrics=(), needs=(), memory=1, minutes=1)
    assert (plain.rule, plain.ending, plain.columns[-1]) == ("measure_x", ".x.csv", "value")
