"""Real runs from the data to the figures: what they write, and what they survive."""

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from projects import PRESET, ROOT

from neuralcodes.codes import packed as codes
from neuralcodes.datasets import prepared
from neuralcodes.figures import drawing
from neuralcodes.measures import registry
from neuralcodes.metrics import retrieval
from neuralcodes.metrics.redundancy import redundancy_ratio
from neuralcodes.networks import modelfiles
from neuralcodes.papers import significance
from neuralcodes.pipeline import configuration
from neuralcodes.studies import layout

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
SEEN_METRICS = {"variance_ratio", "intra_variance", "total_variance"}
UNSEEN_METRICS = SEEN_METRICS | {
    *("intra_distance", "inter_distance", "separation", "pair_auc", "generalization_gap"),
    *("one_shot_accuracy_3", "one_shot_hamming_accuracy_3", "effective_rank", "lsh_exponent"),
    *("hamming_intra", "hamming_inter", "sign_hamming_intra", "sign_hamming_inter"),
}
OF_IDENTIFIERS = {"ridge_r2", "distance_correlation"}
FOUND = {"recall_at_1", "recall_at_10", "queries_per_second", "bytes_per_item", "code_length"}
# Columns of a metric file between split and metric, by its ending.
COLUMNS = {
    "layers": ["layer"],
    "perturbations": ["perturbation", "level"],
    "perturbed_codes": ["perturbation", "level"],
    "preactivations": ["unit", "position"],
    "manifolds": ["representation", "position"],
    "locality": ["representation", "position"],
    "embedding": ["representation", "member", "manifold", "position"],
    "retrieval": ["method"],
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


STUDIES = (
    *("widths", "everything", "perturbed", "descent"),
    *("manifolds", "locality", "search", "images"),
)


def ensembles(project):
    """Model file and the stem of everything made of it, for each ensemble that is encoded."""
    for model in sorted(project.folder.glob("results/models/*/*.safetensors")):
        if "-mlp1x5-" in str(model) or "-mlp" not in str(model):
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
    hashing = {"hash20x8": 2, "cnn8": 1}
    for run, count in hashing.items():
        histories = list(results.glob(f"models/*-{run}-*/seeds*.history.csv"))
        assert len(histories) == count
        assert all(history.stat().st_size for history in histories)
    for study in STUDIES:
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
        header = modelfiles.read_metadata(model)
        assert list(header["reached"]) == ["accuracy10", "accuracy100"]
        history = pd.read_csv(model.with_suffix(".history.csv"))
        for seed, reached in zip(header["seeds"], header["reached"]["accuracy10"], strict=True):
            own = history[(history["seed"] == seed) & (history["train_accuracy"] >= 0.1)]
            assert reached == (own["epoch"].min() if len(own) else None)
    tables_of = results / "tiny/tables"
    tests = pd.read_csv(tables_of / "perturbed.significance.csv")
    assert set(tests["variant"]) == {"as_published", "corrected"}
    assert not [kind for kind in tests["perturbation"] if kind.startswith("equal")]
    declared = layout.typeset_files(
        str(tables_of / "perturbed"),
        {kind: significance.variants(kind) for kind in kinds - {"none"}},
    )
    assert all(Path(path).stat().st_size for path in declared)
    assert r"\toprule" in (tables_of / "perturbed.offset.corrected.tex").read_text()


def test_every_job_has_a_log_and_all_but_the_cached_a_benchmark(finished):
    logs = {path.parts[-1 - depth] for depth in range(4) for path in logs_of(finished)}
    rules = {path.stem for path in (ROOT / "workflow/scripts").glob("*.py")}
    rules ^= {"measure_checkpoint", *(each.rule for each in registry.all_measures())}
    assert rules <= logs
    measured = {path.name for path in (finished.folder / "results/benchmarks").iterdir()}
    assert measured == rules - {"prepare_data", "train_ensemble", "train_hash_ensemble"}


def logs_of(project):
    return (project.folder / "logs").glob("**/*.log")


def test_codes_are_plain_arrays_and_those_of_the_model_files(finished):
    data = finished.folder / "resources/data"
    test, _ = prepared.load_features(data / "digits", "test")
    train, _ = prepared.load_features(data / "digits", "train")
    inputs = {"train": train[: int(0.8 * len(train))], "test": test}
    checked = 0
    for model, stem in ensembles(finished):
        folder = finished.folder / "results/codes" / stem
        for epoch in modelfiles.read_metadata(model)["epochs"]:
            ensemble = modelfiles.load(model, epoch)
            for split, values in inputs.items():
                packed = np.load(folder / f"epoch{epoch}/{split}.npy", mmap_mode="r")
                units = sum(ensemble.shape.hidden)
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
    endings = set()
    for path in finished.folder.glob("results/metrics/*/*/epoch*.csv"):
        table = pd.read_csv(path, dtype={"epoch": str})
        ending = path.suffixes[-2].removeprefix(".") if path.name.count(".") > 1 else "codes"
        endings.add(ending)
        if ending != "history":
            columns = ["run", "seed", "epoch", "split", *COLUMNS.get(ending, []), "metric", "value"]
            assert list(table) == columns
        assert set(table["run"]) == {path.parents[1].name}
        first, last = map(int, path.parent.name.removeprefix("seeds").split("-"))
        seeds = [first] if ending == "embedding" else range(first, last + 1)
        assert set(table["seed"]) == set(seeds)
        if ending != "history":
            assert set(table["epoch"]) == {path.name.split(".")[0].removeprefix("epoch")}
        if ending == "codes":
            assert set(table["metric"]) == EVERY_METRIC
            packed = path.parents[2] / "../codes" / path.parents[1].name / path.parent.name
            packed = np.load(packed / path.stem / "test.npy")
            ratio = table.query("metric == 'redundancy_ratio' and split == 'test'")["value"].item()
            assert ratio == pytest.approx(redundancy_ratio(packed[0]), rel=1e-8)
    assert endings == set(registry.names())


def test_hash_networks_are_measured_on_every_split_and_representation(finished):
    metric_files = finished.folder / "results/metrics"
    for run, splits, gone in (
        ("hash20x8", {"seen", "unseen"}, set()),
        ("cnn8", {"seen", "unseen", "unseen_classes"}, OF_IDENTIFIERS),
    ):
        for path in metric_files.glob(f"*-{run}-*/*/epochfinal.manifolds.csv"):
            table = pd.read_csv(path)
            assert set(table["split"]) == splits
            assert set(table["representation"]) == {"input", "untrained", "trained"}
            assert table["position"].isna().all()
            for (split, name), rows in table.groupby(["split", "representation"]):
                expected = SEEN_METRICS | ({"accuracy"} if name == "trained" else set())
                if split != "seen":
                    gap = set() if split == "unseen" else {"generalization_gap"}
                    expected = (UNSEEN_METRICS | OF_IDENTIFIERS) - gone - gap
                assert set(rows["metric"]) == expected
    curve = pd.read_csv(finished.only("results/metrics/*/*/epochfinal.locality.csv"))
    cosine = curve[curve["metric"] == "lsh_cosine"]
    assert sorted(set(cosine["position"])) == [0, 1, 2]
    shown = pd.read_csv(finished.only("results/metrics/*/*/epochfinal.embedding.csv"))
    assert set(shown["manifold"].dropna()) == {0, 1}
    assert set(shown["position"].dropna()) == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("run", "split", "bits", "features"), [("mlp2x2", "test", 4, 64), ("hash20x8", "unseen", 8, 16)]
)
def test_searching_is_measured_by_code_by_simhash_and_exactly(finished, run, split, bits, features):
    found = pd.read_csv(finished.only(f"results/metrics/*-{run}-*/*/epochfinal.retrieval.csv"))
    assert set(found["split"]) == {split}
    assert list(dict.fromkeys(found["method"])) == list(retrieval.METHODS)
    for method, rows in found.groupby("method"):
        assert set(rows["metric"]) == FOUND - ({"code_length"} if method == "exact" else set())
        values = rows.groupby("metric")["value"].agg(["min", "max"])
        size = 4 * features if method == "exact" else 1
        assert values.loc["bytes_per_item"].tolist() == [size, size]
        if method != "exact":
            assert values.loc["code_length"].tolist() == [bits, bits]
        for recall in ("recall_at_1", "recall_at_10"):
            assert values.loc[recall, "min"] >= 0
            assert 0 < values.loc[recall, "max"] <= 1
        assert values.loc["queries_per_second", "min"] > 0


@pytest.mark.parametrize(
    ("study", "group", "seeds"),
    [("everything", "class", "1 seed"), ("search", "manifold", "2 seeds")],
)
def test_tables_of_retrieval_are_printed_in_three_formats(finished, study, group, seeds):
    folder = finished.folder / "results/tiny/tables"
    dataset = "digits" if study == "everything" else "manifolds"
    table = pd.read_csv(folder / f"{study}.retrieval.csv")
    assert table["method"].tolist() == list(retrieval.METHODS)
    assert set(table["n"]) == {int(seeds.split()[0])}
    summary = pd.read_csv(folder / f"{study}.summary.csv")
    mean = summary[(summary["metric"] == "recall_at_1") & (summary["method"] == "simhash")]["mean"]
    printed = table.loc[table["method"] == "simhash", "recall_at_1_percent"]
    assert printed.item() == pytest.approx(100 * mean.item())
    text = (folder / f"{study}.retrieval.md").read_text()
    assert f"raw inputs: {dataset}, {seeds}\n" in text
    assert f"an item of their own {group} among" in text
    assert all(name in text for name in ("network code", "SimHash", "exact search"))
    latex = (folder / f"{study}.retrieval.tex").read_text()
    assert rf"\label{{tab:{study}.retrieval}}" in latex
    assert r"\toprule" in latex


def test_hash_networks_have_a_history_of_their_steps(finished):
    for path in finished.folder.glob("results/models/*-hash20x8-*/seeds0-1.history.csv"):
        history = pd.read_csv(path)
        assert list(history) == ["seed", "step", "learning_rate", "train_loss", "train_accuracy"]
        assert history[["seed", "step"]].to_numpy().tolist() == [[0, 6], [1, 6]]


def test_measuring_codes_does_not_import_torch(finished):
    model = finished.only("results/models/*mlp1x2*/seeds0-0.safetensors")
    run = modelfiles.read_metadata(model)["run"]
    program = f"""
import sys
from pathlib import Path
from neuralcodes.metrics import suite
from neuralcodes.measures.codes import measure_codes
from neuralcodes.measures.layers import measure_layers
from neuralcodes.measures.retrieval import measure_retrieval
from neuralcodes.studies import runs

run = runs.from_mapping({run!r})
folder = Path("results/codes") / run.id / "seeds0-0"
data = Path("resources/data/digits")
settings = suite.MetricSettings(kmeans_restarts=1)
measure_codes(run, [0], "final", folder, data, settings)
measure_layers(run, [0], "final", folder, data, settings)
assert measure_retrieval(run, [0], "final", folder, data, 10)
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
    assert list(everything) == [
        *common,
        "seed",
        "epoch",
        "split",
        "layer",
        "method",
        "metric",
        "value",
    ]
    assert {"region_size", "redundancy_ratio"} <= set(everything["metric"])
    assert {"uniform_0_1", "uniform_-1_0"} <= set(everything["split"])
    assert set(everything["layer"].dropna()) == {1, 2}
    assert set(everything["width"]) == {4}
    assert set(everything["width_per_layer"]) == {2}


def test_tables_of_hash_networks_have_factors_of_their_own(finished):
    tables = finished.folder / "results/tiny/tables"
    common = ["study", "dataset", "run", "width", "family", "manifolds", "points", "hash_width"]
    measured = ["seed", "epoch", "split", "representation", "position", "metric", "value"]
    manifolds = pd.read_csv(tables / "manifolds.csv")
    assert list(manifolds) == [*common, "relative_manifolds", "weight_decay", *measured]
    assert manifolds[["weight_decay", "seed"]].drop_duplicates().to_numpy().tolist() == [
        *([0, 0], [0, 1], [3, 0], [3, 1]),
    ]
    first = manifolds.iloc[0][common[3:]].tolist()
    assert first == [20, "poly", 5, 4, 8]
    assert set(manifolds["relative_manifolds"]) == {0.555555556}, "5 of 9"
    images = pd.read_csv(tables / "images.csv")
    assert list(images) == [*common, "classes", *measured]
    assert set(images["classes"]) == {"0-4"}
    locality = pd.read_csv(tables / "locality.csv")
    at = measured.index("position")
    columns = [*measured[:at], "member", "manifold", *measured[at:]]
    assert list(locality) == [*common, "relative_manifolds", *columns]
    summary = pd.read_csv(tables / "locality.summary.csv")
    assert set(summary.loc[summary["member"].isna(), "n"]) <= {0, 1, 2}
    assert set(summary.loc[summary["member"].notna(), "n"]) == {1}


@pytest.mark.parametrize("study", [*STUDIES, "feature_selection"])
def test_figures_are_valid_files_of_three_kinds(finished, study):
    assert_valid_figures(finished.folder / "results/tiny/figures" / study)


def assert_valid_figures(stem):
    pdf = stem.with_suffix(".pdf").read_bytes()
    assert pdf.startswith(b"%PDF-")
    assert pdf.rstrip().endswith(b"%%EOF")
    with Image.open(stem.with_suffix(".png")) as image:
        assert len(np.unique(np.asarray(image.convert("L")))) > 10, "something is drawn"
    root = ElementTree.parse(stem.with_suffix(".svg")).getroot()
    assert root.tag.endswith("svg")
    assert len(list(root.iter())) > 100


@pytest.mark.parametrize(
    ("study", "figure"),
    [
        ("locality", {"kind": "manifold_distances"}),
        ("locality", {"kind": "manifold_embedding"}),
        ("everything", {"kind": "retrieval", "x": "width"}),
    ],
)
def test_a_study_can_be_drawn_in_other_ways(finished, tmp_path, study, figure):
    preset = yaml.safe_load((finished.folder / PRESET).read_text())
    preset["studies"][study]["figure"] = figure
    (tmp_path / "other.yaml").write_text(yaml.safe_dump(preset))
    settings = configuration.load({"preset": str(tmp_path / "other.yaml")}, finished.folder, {})
    known = settings.studies[study]
    drawing.draw_study(
        finished.folder / f"results/tiny/tables/{study}.summary.csv",
        *(layout.title_of(settings, known), known.figure, known.factors, []),
        *(ROOT / "config/figures.mplstyle", tmp_path / "drawn"),
    )
    assert_valid_figures(tmp_path / "drawn")


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
        "measure_retrieval mlp2x2 seeds0-0 epochfinal",
        "plot_study everything",
        "prepare_data digits",
        "tabulate_study everything",
        "train_ensemble mlp2x2 seeds0-0",
    ]


def test_a_study_of_generated_manifolds_needs_no_data(fresh):
    assert fresh.planned("results/tiny/figures/search.pdf") == [
        "measure_hash_retrieval hash20x8 seeds0-1 epochfinal",
        "plot_study search",
        "tabulate_study search",
        "train_hash_ensemble hash20x8 seeds0-1",
    ]
    assert fresh.planned("results/tiny/tables/images.csv") == [
        "download_data digits",
        "measure_manifolds cnn8 seeds0-0 epochfinal",
        "prepare_data digits",
        "tabulate_study images",
        "train_hash_ensemble cnn8 seeds0-0",
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
    files.append(metric_file(project, "cnn8", "seeds0-0/epochfinal.manifolds.csv"))
    before = [(project.folder / path).read_text() for path in files]
    shutil.rmtree(project.folder / "results")
    assert len(project.run(*files, cores=1)) == 6
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
    done = project.run(target)
    assert "train_ensemble mlp1x2 seeds0-0" in done
    assert (project.folder / target).read_text() == before
