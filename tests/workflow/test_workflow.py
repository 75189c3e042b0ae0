"""Real runs from the data to the figures: what they write, and what they survive."""

import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import psutil
import pytest
from PIL import Image
from projects import ROOT

from neuralcodes import codes, datasets, layout, metrics, models, resume

pytestmark = pytest.mark.workflow

EVERY_METRIC = {
    "train_loss",
    "train_accuracy",
    "test_loss",
    "test_accuracy",
    "redundancy_ratio",
    "redundancy_ratio_equal_n",
    "code_length",
    "kmeans_accuracy",
    "kmeans_accuracy_one_to_one",
    "kmeans_accuracy_transfer",
    "kmeans_accuracy_transfer_one_to_one",
    "knn_accuracy",
    "logistic_regression_accuracy",
    "stopped_epoch",
    "parameter_updates",
}
# Ends the job, or all of snakemake, when a file whose name ends so is about to take its place.
KILLER = """
import os, signal, sys

def end(event, arguments):
    if event == "os.rename" and str(arguments[1]).endswith(os.environ["KILL_AT"]):
        os.killpg(0, signal.SIGKILL) if "KILL_ALL" in os.environ else os.kill(os.getpid(), 9)

if "KILL_AT" in os.environ:
    sys.addaudithook(end)
"""


def ensembles(project):
    """Model file and the stem of everything made of it, for each ensemble that is encoded."""
    for model in sorted(project.folder.glob("results/models/*/*.safetensors")):
        if "-mlp1x5-" in str(model):
            continue
        yield model, f"{model.parent.name}/{model.stem}"


def metric_file(project, run="mlp1x2", ending="seeds0-0/epochfinal.csv"):
    found = project.only(f"results/metrics/*{run}*/{ending}")
    return str(found.relative_to(project.folder))


def leftovers(project):
    return list(project.folder.glob("re*/**/*.partial")) + list(
        project.folder.glob("re*/**/.*.partial")
    )


# What a run writes


def test_a_run_writes_every_file_it_declares(finished):
    results = finished.folder / "results"
    expected = {"seeds0-0", "seeds1-1"}
    found = {}
    for _, stem in ensembles(finished):
        assert (results / f"models/{stem}.history.csv").stat().st_size
        assert (results / f"codes/{stem}/layers.csv").stat().st_size
        found.setdefault(stem.split("-")[1], set()).add(stem.split("/")[1])
    assert found == {"mlp1x2": expected, "mlp1x4": expected, "mlp2x2": {"seeds0-0"}}
    for study in ("widths", "everything", "perturbed", "descent"):
        assert (results / f"tiny/tables/{study}.csv").stat().st_size
        assert (results / f"tiny/tables/{study}.summary.csv").stat().st_size
    assert not leftovers(finished)
    assert not list(results.glob(".resume/**/*.safetensors"))


def test_perturbed_networks_are_measured_and_tested(finished):
    results = finished.folder / "results"
    models_of = sorted(results.glob("models/*mlp1x5*/seeds0-1.safetensors"))
    assert len(models_of) == 2
    for model in models_of:
        stem = results / "metrics" / model.parent.name / "seeds0-1/epochfinal"
        perturbed = pd.read_csv(f"{stem}.perturbations.csv").set_index("perturbation")
        assert list(perturbed) == ["run", "seed", "epoch", "split", "level", "metric", "value"]
        kinds = {"none", "scale", "clip", "offset", "scale_per_unit", "clip_activation"}
        assert kinds < set(perturbed.index)
        accuracy = perturbed[perturbed["metric"] == "train_accuracy"]
        plain = accuracy.loc["none"].set_index("seed")["value"]
        for kind, identity in (("scale", 1), ("clip", 1), ("offset", 0)):
            same = accuracy.loc[kind]
            same = same[same["level"] == identity].set_index("seed")["value"]
            pd.testing.assert_series_equal(same, plain)
        header = models.read_metadata(model)
        assert list(header["reached"]) == ["accuracy10", "accuracy100"]
        history = pd.read_csv(model.with_suffix(".history.csv"))
        for seed, reached in zip(header["seeds"], header["reached"]["accuracy10"], strict=True):
            own = history[(history["seed"] == seed) & (history["train_accuracy"] >= 0.1)]
            assert reached == (own["epoch"].min() if len(own) else None)
    tables_of = results / "tiny/tables"
    tests = pd.read_csv(tables_of / "perturbed.significance.csv")
    assert set(tests["variant"]) == {"as_published", "corrected"}
    assert not [kind for kind in tests["perturbation"] if kind.startswith("equal")]
    declared = layout.typeset_files(str(tables_of / "perturbed"), list(kinds - {"none"}))
    assert all(Path(path).stat().st_size for path in declared)
    assert r"\toprule" in (tables_of / "perturbed.offset.corrected.tex").read_text()


def test_every_job_has_a_log_and_all_but_the_cached_a_benchmark(finished):
    logs = {path.parts[-1 - depth] for depth in range(4) for path in logs_of(finished)}
    rules = {path.stem for path in (ROOT / "workflow/scripts").glob("*.py")}
    assert rules <= logs
    measured = {path.name for path in (finished.folder / "results/benchmarks").iterdir()}
    assert measured == rules - {"prepare_data", "train_ensemble"}


def logs_of(project):
    return (project.folder / "logs").glob("**/*.log")


def test_codes_are_plain_arrays_and_those_of_the_model_files(finished):
    data = finished.folder / "resources/data"
    test, _ = datasets.load_features(data / "digits", "test")
    train, _ = datasets.load_features(data / "digits", "train")
    inputs = {"train": train[: int(0.8 * len(train))], "test": test}
    checked = 0
    for model, stem in ensembles(finished):
        folder = finished.folder / "results/codes" / stem
        for epoch in models.read_metadata(model)["epochs"]:
            ensemble = models.load(model, epoch)
            for split, values in inputs.items():
                packed = np.load(folder / f"epoch{epoch}/{split}.npy", mmap_mode="r")
                units = sum(ensemble.architecture.hidden)
                assert packed.dtype == np.uint8
                assert packed.shape == (1, len(values), (units + 7) // 8)
                own, layers = codes.activation_code(ensemble.member(0), values)
                assert (codes.unpack(packed[0], units) != codes.unpack(own, units)).mean() < 1e-3
                assert [each.units for each in layers] == [
                    each.units for each in codes.read_layers(folder / "layers.csv")
                ]
                checked += 1
    assert checked == 2 * (4 * 3 + 1)


def test_metrics_are_tidy_and_those_of_the_codes(finished):
    for path in finished.folder.glob("results/metrics/*-mlp[12]x[24]-*/*/epoch*.csv"):
        table = pd.read_csv(path, dtype={"epoch": str})
        layer = ["layer"] if path.name.endswith(".layers.csv") else []
        assert list(table) == ["run", "seed", "epoch", "split", *layer, "metric", "value"]
        assert set(table["run"]) == {path.parents[1].name}
        assert set(table["epoch"]) == {path.name.split(".")[0].removeprefix("epoch")}
        if path.name.count(".") == 1:
            assert set(table["metric"]) == EVERY_METRIC
            packed = path.parents[2] / "../codes" / path.parents[1].name / path.parent.name
            packed = np.load(packed / path.stem / "test.npy")
            ratio = table.query("metric == 'redundancy_ratio' and split == 'test'")["value"].item()
            assert ratio == pytest.approx(metrics.redundancy_ratio(packed[0]), rel=1e-8)


def test_measuring_codes_does_not_import_torch(finished):
    model = finished.only("results/models/*mlp1x2*/seeds0-0.safetensors")
    run = models.read_metadata(model)["run"]
    program = f"""
import sys
from pathlib import Path
from neuralcodes import measuring, metrics, runs

run = runs.from_mapping({run!r})
folder = Path("results/codes") / run.id / "seeds0-0"
data = Path("resources/data/digits")
settings = metrics.MetricSettings(kmeans_restarts=1)
measuring.measure_codes(run, [0], "final", folder, data, settings)
measuring.measure_layers(run, [0], "final", folder, data, settings)
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], cwd=finished.folder, check=True)


def test_tables_have_all_factors_and_all_measurements(finished):
    tables = finished.folder / "results/tiny/tables"
    common = ["study", "dataset", "run", "depth", "width", "width_per_layer", "sample_size"]
    widths = pd.read_csv(tables / "widths.csv")
    assert list(widths) == [*common, "seed", "epoch", "split", "metric", "value"]
    measured = widths[["width", "width_per_layer", "seed", "epoch"]].drop_duplicates()
    assert len(measured) == 2 * 2 * 3
    assert set(widths["sample_size"]) == {1149}
    assert set(widths["epoch"]) == {"0", "2", "final"}
    summary = pd.read_csv(tables / "widths.summary.csv")
    assert set(summary["n"]) == {2}
    assert len(summary) * 2 == len(widths)
    everything = pd.read_csv(tables / "everything.csv")
    assert list(everything) == [*common, "seed", "epoch", "split", "layer", "metric", "value"]
    assert {"region_size", "redundancy_ratio"} <= set(everything["metric"])
    assert {"uniform_0_1", "uniform_-1_0"} <= set(everything["split"])
    assert set(everything["layer"].dropna()) == {1, 2}
    assert set(everything["width"]) == {4}
    assert set(everything["width_per_layer"]) == {2}


@pytest.mark.parametrize(
    "study", ["widths", "everything", "perturbed", "descent", "feature_selection"]
)
def test_figures_are_valid_files_of_three_kinds(finished, study):
    stem = finished.folder / "results/tiny/figures" / study
    pdf = stem.with_suffix(".pdf").read_bytes()
    assert pdf.startswith(b"%PDF-")
    assert pdf.rstrip().endswith(b"%%EOF")
    with Image.open(stem.with_suffix(".png")) as image:
        assert len(np.unique(np.asarray(image.convert("L")))) > 10, "something is drawn"
    root = ElementTree.parse(stem.with_suffix(".svg")).getroot()
    assert root.tag.endswith("svg")
    assert len(list(root.iter())) > 100


# What can be asked for


def test_one_figure_can_be_asked_for(project):
    (project.folder / "results/tiny/figures/widths.pdf").unlink()
    assert project.run("results/tiny/figures/widths.pdf") == ["plot_study widths"]
    assert (project.folder / "results/tiny/figures/widths.pdf").stat().st_size


def test_one_figure_needs_the_jobs_of_its_study_alone(fresh):
    planned = fresh.planned("results/tiny/figures/everything.pdf")
    assert planned == [
        "download_data digits",
        "encode_ensemble mlp2x2 seeds0-0",
        "encode_random_inputs mlp2x2 seeds0-0",
        "measure_codes mlp2x2 seeds0-0 epochfinal",
        "measure_layers mlp2x2 seeds0-0 epochfinal",
        "measure_random_inputs mlp2x2 seeds0-0 epochfinal",
        "measure_regions mlp2x2 seeds0-0 epochfinal",
        "plot_study everything",
        "prepare_data digits",
        "tabulate_study everything",
        "train_ensemble mlp2x2 seeds0-0",
    ]


def test_the_path_of_a_figure_chooses_the_preset(fresh):
    done = fresh.snakemake("-n", "results/mnist/figures/model_size_mnist.pdf")
    assert done.returncode == 0, done.stdout
    assert "results/mnist/tables/model_size_mnist.summary.csv" in done.stdout
    told = fresh.snakemake(
        "-n", "--config", "preset=digits", "--", "results/mnist/figures/model_size_mnist.pdf"
    )
    assert told.returncode != 0
    assert "No rule to produce" in told.stdout


@pytest.mark.parametrize(("preset", "least"), [("digits", 300), ("mnist", 300), ("paper", 2000)])
def test_the_presets_expand_into_their_jobs(fresh, preset, least):
    done = fresh.snakemake("-n", "--config", f"preset={preset}")
    assert done.returncode == 0, done.stdout
    assert int(re.search(r"^total +(\d+)$", done.stdout, re.MULTILINE)[1]) > least


# The same numbers


def test_one_core_gives_the_same_numbers_as_two(project):
    files = [metric_file(project, ending=f"seeds0-0/epoch{each}.csv") for each in ("2", "final")]
    before = [(project.folder / path).read_text() for path in files]
    shutil.rmtree(project.folder / "results")
    assert len(project.run(*files, cores=1)) == 4
    assert [(project.folder / path).read_text() for path in files] == before


def test_seeds_trained_together_give_the_numbers_of_seeds_trained_apart(project):
    table = project.folder / "results/tiny/tables/widths.csv"
    apart = pd.read_csv(table)
    project.configure(lambda preset: preset.update(seeds_per_chunk=2))
    project.configure(lambda preset: preset["studies"]["widths"]["factors"].update(width=[4]))
    done = project.run(str(table.relative_to(project.folder)))
    assert "train_ensemble mlp1x4 seeds0-1" in done
    together = pd.read_csv(table)
    apart = apart[apart["width"] == 4].reset_index(drop=True)
    pd.testing.assert_frame_equal(together, apart, check_exact=False, rtol=0, atol=1e-6)


# What goes wrong


def test_a_training_that_diverges_names_run_seed_and_epoch_and_leaves_nothing(project):
    diverging = {
        "activation": "abs",
        "batch_norm": False,
        "optimizer": "sgd",
        "learning_rate": 1e9,
    }
    project.configure(lambda preset: preset["studies"]["widths"].update(set=diverging, seeds=1))
    done = project.snakemake("results/tiny/tables/widths.csv", stderr=subprocess.PIPE)
    assert done.returncode != 0
    said = re.search(
        r"DivergenceError: run (digits-mlp1x\d-\w{8}), seed 0: the training loss is (nan|inf) in "
        r"epoch 1; lower learning_rate",
        done.stderr,
    )
    assert said, done.stderr
    assert "Traceback" not in done.stderr
    assert "DivergenceError" in project.only(f"logs/train_ensemble/{said[1]}/*.log").read_text()
    assert not list(project.folder.glob(f"results/models/{said[1]}/*"))
    assert not leftovers(project)


def test_a_damaged_file_in_the_mirror_is_named(fresh, tmp_path):
    mirror = tmp_path / "mirror"
    (mirror / "mnist").mkdir(parents=True)
    damaged = mirror / "mnist/train-images-idx3-ubyte.gz"
    damaged.write_bytes(b"no images")
    fresh.configure(lambda preset: preset["datasets"].update(mnist={"source": "mnist"}))
    done = fresh.snakemake(
        "resources/data/mnist/dataset.json", "--config", f"data={{mirror: {mirror}}}"
    )
    assert done.returncode != 0
    assert f"DataError: {damaged}: expected MD5" in done.stdout
    assert "or delete it from the mirror" in done.stdout
    assert "Traceback" not in done.stdout
    assert not list(fresh.folder.glob("resources/data/**/*.npy"))
    assert not leftovers(fresh)


@pytest.mark.parametrize(
    ("everything", "moment"),
    [(False, "seeds0-0.safetensors"), (True, "seeds0-0.history.csv")],
    ids=["the job, before its first file is there", "snakemake, when one of two files is there"],
)
def test_after_a_kill_while_writing_the_next_run_completes_with_the_same_numbers(
    project, tmp_path, moment, everything
):
    target = metric_file(project)
    before = (project.folder / target).read_text()
    for part in ("models", "codes", "metrics"):
        shutil.rmtree(project.folder / "results" / part)
    (tmp_path / "sitecustomize.py").write_text(KILLER)
    killed = project.snakemake(
        target,
        start_new_session=True,
        PYTHONPATH=str(tmp_path),
        KILL_AT=moment,
        **({"KILL_ALL": "1"} if everything else {}),
    )
    assert killed.returncode == (-signal.SIGKILL if everything else 1), killed.stdout
    assert not (project.folder / target).exists()
    if everything:
        # snakemake's own lock outlives it
        assert "--unlock" in project.snakemake(target).stdout
        project.run("--unlock")
    done = project.run(target)
    assert "train_ensemble mlp1x2 seeds0-0" in done
    assert (project.folder / target).read_text() == before


@pytest.fixture(scope="module")
def long(finished, tmp_path_factory):
    """A project whose training takes seconds, and the model that it ends with."""
    project = finished.clone(tmp_path_factory.mktemp("long") / "project")
    project.configure(lambda preset: preset["recipes"]["tiny"].update(epochs=400))
    target = "results/tiny/tables/widths.csv"
    planned = project.snakemake("-n", target).stdout
    run = re.search(r"run=(digits-mlp1x2-\w+)", planned)[1]
    undisturbed = project.clone(project.folder.with_name("undisturbed"))
    model = f"results/models/{run}/seeds0-0.safetensors"
    undisturbed.run(model)
    return project, model, models.load(undisturbed.folder / model, "final").parameters


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_a_training_that_was_ended_in_the_middle_ends_with_the_same_numbers(long, tmp_path, sent):
    original, model, expected = long
    project = original.clone(tmp_path / "project")
    log = project.folder / model.replace("results/models", "logs/train_ensemble")
    log = log.with_suffix(".log")
    with subprocess.Popen(
        project.command(model),
        cwd=project.folder,
        env=project.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        wait_for(lambda: log.exists() and "epoch 3 of 400" in log.read_text())
        job_of(running).send_signal(sent)
        output, _ = running.communicate(timeout=60)
    assert running.returncode == 1, output
    assert "epoch 400 of 400" not in log.read_text()
    assert not (project.folder / model).exists()
    assert not leftovers(project)
    saved = resume.state_path(project.folder / model)
    assert saved.exists() == (sent == signal.SIGTERM)
    assert len(project.run(model)) == 1
    assert ("going on after epoch" in log.read_text()) == (sent == signal.SIGTERM)
    assert not saved.exists()
    found = models.load(project.folder / model, "final").parameters
    assert all((found[name] == expected[name]).all() for name in expected)


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not reached within {seconds} s"
        time.sleep(0.01)


def job_of(snakemake):
    """The process of the training script below snakemake."""
    below = psutil.Process(snakemake.pid).children(recursive=True)
    (found,) = [each for each in below if "train_ensemble.py" in " ".join(each.cmdline()[:2])]
    return found
