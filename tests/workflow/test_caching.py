"""What a change reruns: exactly what depends on it, and nothing after a finished run."""

import csv
import shutil

import numpy as np
import pytest
import safetensors
from PIL import Image
from projects import ROOT, VERSION_OF_THE_COPY, Project, copy_project

pytestmark = pytest.mark.workflow

EPOCHS = ("0", "2", "final")
FIRST = ("train_ensemble", "encode_ensemble")
WIDE = [f"{run} seeds{seed}-{seed}" for run in ("mlp1x2", "mlp1x4") for seed in (0, 1)]
DEEP = "mlp2x2 seeds0-0"
DEEP_ALONE = [
    f"encode_random_inputs {DEEP}",
    f"measure_layers {DEEP} epochfinal",
    RANDOM := f"measure_random_inputs {DEEP} epochfinal",
    REGIONS := f"measure_regions {DEEP} epochfinal",
    RETRIEVAL := f"measure_retrieval {DEEP} epochfinal",
]


def chain(ensembles, epochs=EPOCHS):
    """The jobs of ensembles, from training onwards."""
    trained = [f"{rule} {each}" for each in ensembles for rule in FIRST]
    return trained + [
        f"measure_codes {each} epoch{epoch}" for each in ensembles for epoch in epochs
    ]


def drawn(*studies, tables=True):
    rules = ("tabulate_study", "plot_study") if tables else ("plot_study",)
    listed = [f"{rule} {study}" for study in studies for rule in rules]
    return listed + [each for study in studies for each in PRINTED.get(study, []) if tables]


def both(*jobs):
    """A job for each of the two activations."""
    return [f"{job} mlp1x5 seeds0-1 epochfinal" for job in jobs for _ in range(2)]


def hashed(*jobs, runs=1):
    """A job for each of some hash networks on generated manifolds."""
    epoch = {job: "" if job.startswith("train") else " epochfinal" for job in jobs}
    return [f"{job} hash20x8 seeds0-1{epoch[job]}" for job in jobs for _ in range(runs)]


TESTS = ["tabulate_significance perturbed", "typeset_significance perturbed"]
SHEETS = ["typeset_retrieval everything", "typeset_retrieval search"]
PRINTED = {"perturbed": TESTS, "everything": SHEETS[:1], "search": SHEETS[1:]}
PERTURBED = both("perturb_ensemble", "perturb_codes", "measure_preactivations")
DESCENT = [
    *("train_ensemble mlp1x5 seeds0-1", "train_ensemble mlp1x5 seeds0-1"),
    *both("measure_history"),
    *PERTURBED,
]
STUDIES = ("descent", "everything", "perturbed", "widths")
OF_MANIFOLDS = ("images", "locality", "manifolds", "search")
FIGURES = drawn(*STUDIES, *OF_MANIFOLDS, tables=False)
MEASURING = [
    *(f"measure_codes {each} epoch{epoch}" for each in WIDE for epoch in EPOCHS),
    *(f"measure_codes {DEEP} epochfinal", f"measure_layers {DEEP} epochfinal"),
    *drawn("everything", "widths"),
]
PICTURES = "cnn8 seeds0-0"
SEARCH = hashed("measure_hash_retrieval")
ON_MANIFOLDS = [
    *hashed("measure_manifolds", runs=2),
    *hashed("measure_locality", "measure_embedding"),
    f"measure_manifolds {PICTURES} epochfinal",
    *drawn("images", "locality", "manifolds"),
]


def shown(jobs):
    """Jobs whose results the report shows, and the report."""
    return sorted([*jobs, "render_report"])


def study(name, **changes):
    """A change of the preset: other settings of one study."""
    return lambda preset: preset["studies"][name].update(changes)


def top(key, **changes):
    return lambda preset: preset.setdefault(key, {}).update(changes)


def within(*keys, **changes):
    """A change of the preset: other settings some levels down."""

    def change(preset):
        for key in keys:
            preset = preset[key]
        preset.update(changes)

    return change


def unused_recipes(preset):
    preset["recipes"]["other"] = {"epochs": 2}
    preset["hash_recipes"]["another"] = {"steps": 200}


def test_after_a_finished_run_there_is_nothing_to_do(finished):
    assert finished.planned() == []


def test_neither_place_nor_device_nor_mirror_nor_unused_recipes_rerun_anything(project, tmp_path):
    project.configure(unused_recipes)
    assert project.planned("--config", "device=cpu", "data={mirror: .}", cores=2) == []
    assert project.planned(NEURALCODES_DATA_MIRROR=str(tmp_path)) == []


def test_the_jobs_use_the_library_beside_the_workflow(finished):
    for path in finished.folder.glob("results/models/*/*.safetensors"):
        with safetensors.safe_open(path, framework="np") as file:
            assert VERSION_OF_THE_COPY in str(file.metadata())


# Changes of different studies: what they rerun adds up.
CHANGES = {
    "title, regions, spread of factors per unit, metrics of a figure, manifolds to search": [
        (study("widths", title="Another"), drawn("widths", tables=False)),
        (lambda preset: preset.update(region_examples=30), [REGIONS, *drawn("everything")]),
        (
            top("perturbations", spread=3),
            [*both("perturb_ensemble", "perturb_codes"), *drawn("perturbed")],
        ),
        (
            within("studies", "manifolds", "figure", metrics=["pair_auc"]),
            drawn("manifolds", tables=False),
        ),
        (top("retrieval", manifolds=13), [*SEARCH, *drawn("search")]),
    ],
    "scale, random inputs, sizes of equal changes, one more weight decay": [
        (
            study("widths", figure={"kind": "curves", "x": "epoch", "line": "width"}),
            drawn("widths", tables=False),
        ),
        (top("random_inputs", examples=60), [DEEP_ALONE[0], RANDOM, *drawn("everything")]),
        (
            top("perturbations", equal_changes=[0.1, 0.2]),
            [*both("perturb_ensemble"), *drawn("perturbed")],
        ),
        (
            study("manifolds", factors={"weight_decay": [0, 1, 3]}),
            [*hashed("train_hash_ensemble", "measure_manifolds"), *drawn("manifolds")],
        ),
    ],
    "one more width, one more checkpoint of another study, levels of codes": [
        (
            study("widths", factors={"width": [2, 3, 4]}),
            [*chain(["mlp1x3 seeds0-0", "mlp1x3 seeds1-1"]), *drawn("widths")],
        ),
        (
            study("everything", checkpoints=[0, "final"]),
            [
                *chain([DEEP], ["0", "final"]),
                *DEEP_ALONE,
                *(each.replace("final", "0") for each in DEEP_ALONE[1:]),
                *drawn("everything"),
            ],
        ),
        (
            within("perturbations", "code_levels", offset=[0.2]),
            [*both("perturb_codes"), *drawn("perturbed")],
        ),
    ],
    "one more factor, queries, kinds in a figure": [
        (
            study(
                "widths",
                factors={"width": [2, 4], "batch_size": [64, 32]},
                figure={"kind": "curves", "x": "epoch", "line": "width", "variant": "batch_size"},
            ),
            [*chain(WIDE), *drawn("widths")],
        ),
        (top("retrieval", queries=9), [RETRIEVAL, *SEARCH, *drawn("everything", "search")]),
        (
            within("studies", "perturbed", "figure", kinds=["offset"]),
            drawn("perturbed", tables=False),
        ),
    ],
    "one width less, one more activation, unseen manifolds": [
        (study("widths", factors={"width": [2]}), drawn("widths")),
        (
            study("perturbed", factors={"activation": ["relu", "abs", "leaky_relu"]}),
            ["train_ensemble mlp1x5 seeds0-1", *PERTURBED[::2], *drawn("perturbed")],
        ),
        (top("manifolds", unseen=13), ON_MANIFOLDS),
    ],
    "more seeds, one more seed of perturbed networks, steps of hash networks": [
        (
            study("widths", seeds=3),
            [*chain(["mlp1x2 seeds2-2", "mlp1x4 seeds2-2"]), *drawn("widths")],
        ),
        (
            study("perturbed", seeds=["0-1", 2]),
            [
                *(each.replace("0-1", "2-2") for each in [*DESCENT[:2], *PERTURBED]),
                *drawn("perturbed"),
            ],
        ),
        (
            within("hash_recipes", "small", steps=7),
            [
                *hashed("train_hash_ensemble", "measure_manifolds", runs=2),
                *(*ON_MANIFOLDS[2:4], *SEARCH, *drawn("locality", "manifolds", "search")),
            ],
        ),
    ],
    "one more range of seeds, levels, a study that is optional now": [
        (
            study("widths", seeds=[0, 1, "2-4"]),
            [*chain(["mlp1x2 seeds2-4", "mlp1x4 seeds2-4"]), *drawn("widths")],
        ),
        (
            within("perturbations", "levels", offset=[0, 0.1]),
            [*both("perturb_ensemble"), *drawn("perturbed")],
        ),
        (study("everything", optional=True), []),
    ],
    "one more checkpoint, epochs": [
        (
            study("widths", checkpoints=[0, 1, 2, "final"]),
            [*chain(WIDE, ["0", "1", "2", "final"]), *drawn("widths")],
        ),
        (
            within("recipes", "descent", epochs=30),
            [*DESCENT, *drawn("descent", "perturbed")],
        ),
    ],
    "k of K-NN": [
        (
            top("metrics", knn_k=5),
            [*MEASURING, *both("perturb_codes"), *drawn("perturbed"), "score_published"],
        ),
    ],
    "no more tests of significance": [(study("perturbed", significance=False), [])],
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_changes_of_the_configuration_rerun_what_depends_on_them(project, changes):
    expected = []
    for change, reruns in changes:
        project.configure(change)
        expected += reruns
    assert project.planned() == shown(expected)


def test_style_and_page_rerun_what_is_made_of_them(project):
    for path in ("workflow/report/page.css", "docs/fidelity.md"):
        project.edit(path, lambda text: text + "\n")
        assert project.planned() == ["render_report"]
        shutil.copy2(ROOT / path, project.folder / path)
    project.edit("config/figures.mplstyle", lambda text: text + "lines.linewidth: 3\n")
    assert project.planned() == shown([*FIGURES, "plot_schematic"])


def test_code_of_the_library_reruns_what_runs_it_and_a_comment_nothing(project):
    # what counts for which rule is asked of provenance
    project.edit("src/neuralcodes/datasets/prepared.py", lambda text: f"# a comment\n{text}")
    assert project.planned() == []
    label = ('"Redundancy ratio"', '"Ratio"')
    project.edit("src/neuralcodes/metrics/redundancy.py", lambda text: text.replace(*label))
    assert project.planned() == shown(FIGURES)
    project.edit("src/neuralcodes/metrics/redundancy.py", lambda text: text.replace(*label[::-1]))
    for module in ("measures/perturbed_codes", "metrics/regions"):
        project.edit(f"src/neuralcodes/{module}.py", lambda text: f"{text}\nADDED = 1\n")
    expected = [*both("perturb_codes"), REGIONS, *drawn("perturbed", "everything")]
    assert project.planned() == shown(expected)


def test_an_earlier_value_finds_its_results_and_redoes_table_and_figure(project):
    table = project.folder / "results/tiny/tables/widths.csv"
    before = table.read_text()
    project.configure(study("widths", factors={"width": [3]}, seeds=1))
    assert project.run(cores=2) == shown([*chain(["mlp1x3 seeds0-0"]), *drawn("widths")])
    assert table.read_text() != before
    project.configure(study("widths", factors={"width": [2, 4]}, seeds=2))
    assert project.planned() == shown(drawn("widths"))
    project.run("results/tiny/tables/widths.csv")
    assert table.read_text() == before


def test_run_ids_are_mapped_to_all_fields(finished, project):
    rows = read_run_table(finished)
    assert {row["run"] for row in rows} == {
        path.name for path in finished.folder.glob("results/models/*")
    }
    (deep,) = [row for row in rows if row["depth"] == "2"]
    fields = {"dataset": "digits", "width": "4", "epochs": "3", "learning_rate": "0.01"}
    assert deep.items() >= fields.items()
    assert deep["run"].startswith("digits-mlp2x2-")
    assert deep["hash_width"] == "", "no field of a hash network"
    (picture,) = [row for row in rows if row["classes"]]
    assert picture.items() >= {"classes": "0-4", "network": "cnn", "epochs": ""}.items()
    assert picture["run"].startswith("digits-cnn8-")
    project.configure(study("widths", factors={"width": [6]}))
    project.run("resources/data/digits/dataset.json", "--force")
    added = {row["run"]: row for row in read_run_table(project)}
    assert len(added) == 9, "runs of before stay"
    assert added.items() >= {row["run"]: row for row in rows}.items()


def read_run_table(project):
    with (project.folder / "results/runs.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_clones_share_data_and_models_through_the_output_cache(finished, tmp_path):
    store = tmp_path / "store"
    store.mkdir()
    trained = {
        finished.only("results/models/*mlp1x2*/seeds0-0.safetensors"): "epoch 3 of 3",
        finished.only("results/models/*cnn8*/seeds0-0.safetensors"): "step 6 of 6",
    }
    targets = {str(model.relative_to(finished.folder)): model for model in trained}
    outputs = []
    for name in ("first", "second"):
        clone = copy_project(tmp_path / name)
        done = clone.snakemake(*targets, "--cache", SNAKEMAKE_OUTPUT_CACHE=str(store))
        assert done.returncode == 0, done.stdout
        outputs.append(done.stdout)
        for target, model in targets.items():
            assert tensors_of(clone.folder / target) == tensors_of(model)
        assert clone.planned(*targets) == []
    first, second = outputs
    for path in (*targets, "resources/data/digits/train-inputs.npy"):
        assert f"Moving output file {path} to cache" in first
        assert f"output file {path} from cache" in second
    assert "to cache" not in second
    for target, model in targets.items():
        rule = "train_hash_ensemble" if "cnn8" in target else "train_ensemble"
        log = target.replace("results/models", f"logs/{rule}").replace(".safetensors", ".log")
        assert trained[model] in (tmp_path / "first" / log).read_text()
        assert (tmp_path / "second" / log).read_text() == "", "the second clone trains nothing"


def test_own_data_count_by_their_content_wherever_they_are(tmp_path):
    store = tmp_path / "store"
    store.mkdir()
    mirrors = [write_images(tmp_path / f"mirror{i}", seed) for i, seed in enumerate("aab")]
    target = "resources/data/own/dataset.json"
    arrays = []
    for name, mirror in (("first", mirrors[0]), ("second", mirrors[2])):
        clone = copy_project(tmp_path / name)
        clone.configure(top("datasets", own={"source": "image_folder", "path": "own"}))
        clone.run(
            target,
            "--cache",
            SNAKEMAKE_OUTPUT_CACHE=str(store),
            NEURALCODES_DATA_MIRROR=str(mirror),
        )
        arrays.append(np.load(clone.folder / "resources/data/own/test-inputs.npy"))
    assert (arrays[0] != arrays[1]).any(), "another's data never come from the cache"
    assert clone.planned(target, NEURALCODES_DATA_MIRROR=str(mirrors[2])) == []
    first = Project(tmp_path / "first")
    assert first.planned(target, NEURALCODES_DATA_MIRROR=str(mirrors[1])) == []
    changed = first.planned(target, NEURALCODES_DATA_MIRROR=str(mirrors[2]))
    assert changed == ["download_data own", "prepare_data own"]


def write_images(mirror, seed):
    """A folder of random images of two classes."""
    generator = np.random.default_rng(ord(seed))
    for number, part in enumerate(("train/a", "train/b", "test/a", "test/b") * 2):
        folder = mirror / "own" / part
        folder.mkdir(parents=True, exist_ok=True)
        pixels = generator.integers(0, 256, (4, 4)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return mirror


def tensors_of(model):
    """A model's tensors as bytes: the order of a file's header is not fixed."""
    with safetensors.safe_open(model, framework="np") as file:
        return {name: file.get_tensor(name).tobytes() for name in file.keys()}  # noqa: SIM118
