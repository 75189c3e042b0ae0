import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from neuralcodes.papers import conditions
from neuralcodes.pipeline import configuration

ROOT = Path(__file__).parents[2]
CURVES = {"kind": "curves", "x": "width"}


def load(preset, **keys):
    return configuration.load({"preset": str(preset), **keys}, ROOT, {})


def study(**keys):
    base = {"dataset": "mnist", "recipe": "he2021", "factors": {"width": [40]}}
    return {**base, "seeds": 2, "figure": CURVES, **keys}


@pytest.fixture
def own(tmp_path):
    """Load a preset that has these studies, on MNIST unless told otherwise."""

    def make(datasets=None, **keys):
        path = tmp_path / "own.yaml"
        path.write_text(yaml.safe_dump({"datasets": datasets or {"mnist": {"source": "mnist"}}}))
        return load(path, **keys)

    return make


def fact(settings, figure, width=None, size=None, dataset="mnist", activation="relu"):
    """The fact of one training; a width is per layer."""
    found = [
        each
        for training, each in zip(
            conditions.trainings(), conditions.facts(settings)["trainings"], strict=True
        )
        if training.figure == figure
        and training.run.dataset == dataset
        and (width is None or training.run.width == width * training.run.depth)
        and training.run.sample_size == size
        and training.run.activation == activation
    ]
    assert len(found) == 1
    return found[0]


def training(figure, width, size=None, dataset="mnist"):
    (found,) = [
        each
        for each in conditions.trainings()
        if (each.figure, each.run.dataset, each.run.sample_size) == (figure, dataset, size)
        and each.run.width == width * each.run.depth
    ]
    return found


@pytest.mark.parametrize(
    ("figure", "recipe", "shape"),
    [
        ("model_capacity", "he2021", {"depth": 5, "width": 50}),
        ("sample_size", "he2021", {"depth": 1, "width": 40, "sample_size": 1000}),
        ("training_time", "he2021_no_stopping", {"depth": 1, "width": 60}),
        ("perturbation", "oursland2024", {"activation": "abs"}),
    ],
)
def test_each_figure_follows_the_recipe_of_its_name(own, figure, recipe, shape):
    name = "cifar10" if shape.get("depth") == 5 else "mnist"
    settings = own(
        datasets={name: {"source": name}},
        studies={
            "one": study(
                dataset=name,
                recipe=recipe,
                set=shape,
                factors={"tf32": [False]},
                figure={"kind": "curves", "x": "tf32"},
            )
        },
    )
    (point,) = settings.studies["one"].points
    assert point.run in {each.run for each in conditions.trainings() if each.figure == figure}


@pytest.mark.parametrize(
    ("preset", "first", "count"),
    [
        ("digits", [], 0),
        ("mnist", ["model_size_mnist", "training_time_mnist"], 7),
        ("paper", [], 21),
    ],
)
def test_studies_that_measure_published_trainings_are_named(preset, first, count):
    names = conditions.scored_studies(load(preset))
    assert names[: len(first)] == first
    assert len(names) == len(set(names)) == count


def test_the_studies_are_those_that_the_facts_name():
    for preset in ("digits", "mnist", "paper"):
        settings = load(preset)
        named = {
            name for each in conditions.facts(settings)["trainings"] for name in each["studies"]
        }
        assert named == set(conditions.scored_studies(settings))


def test_shortened_trainings_of_the_mnist_preset_are_none_of_the_papers():
    settings = load("mnist")
    assert "perturbation_mnist" not in conditions.scored_studies(settings)
    found = fact(settings, "perturbation")
    assert found == {"run": "", "studies": {}, "reason": "epochs is 150 here, 5,000 published"}


def test_facts_are_plain_data():
    facts = conditions.facts(load("mnist"))
    assert json.loads(json.dumps(facts)) == facts


def test_a_training_names_its_run_its_studies_and_their_checkpoints():
    settings = load("mnist")
    found = fact(settings, "training_time", 40)
    assert settings.runs[found["run"]].width == 40
    checkpoints = ["0", "1", "3", "10", "30", "60", "200"]
    assert found["studies"] == {
        "training_time_mnist": checkpoints,
        "random_input_mnist": checkpoints,
    }


def test_the_study_whose_figure_shows_the_published_values_comes_first(own):
    overlay = {"figure": {**CURVES, "published": {"figure": "model_capacity", "dataset": "mnist"}}}
    settings = own(studies={"before": study(), "figure": study(**overlay), "zz": study()})
    assert list(fact(settings, "model_capacity", 40)["studies"]) == ["figure", "before", "zz"]
    assert conditions.scored_studies(settings) == ["before", "figure", "zz"]


def test_a_dataset_by_another_name_counts(own):
    settings = own(
        datasets={"digits_of_mine": {"source": "mnist"}},
        studies={"one": study(dataset="digits_of_mine")},
    )
    assert conditions.scored_studies(settings) == ["one"]
    found = fact(settings, "model_capacity", 40)
    assert found["run"].startswith("digits_of_mine-mlp1x40-")
    assert found["run"] in settings.runs


@pytest.mark.parametrize("spec", [{"source": "fashion_mnist"}, {"source": "npz", "path": "x.npz"}])
def test_a_look_alike_by_the_same_name_does_not(own, spec):
    settings = own(datasets={"mnist": spec}, studies={"one": study()})
    assert conditions.scored_studies(settings) == []
    assert fact(settings, "model_capacity", 40)["reason"] == "MNIST is not among the datasets"


def test_of_two_names_of_a_dataset_the_one_that_is_trained_on_counts(own):
    settings = own(
        datasets={"mnist": {"source": "mnist"}, "again": {"source": "mnist"}},
        studies={"one": study(dataset="again")},
    )
    assert fact(settings, "model_capacity", 40)["run"].startswith("again-")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"batch_norm": False}, "batch_norm is false here, true published"),
        ({"tf32": True}, "tf32 is true here, false published"),
        ({"learning_rate": 0.05}, "learning_rate is 0.05 here, 0.01 published"),
        ({"batch_size": None}, "batch_size is all here, 64 published"),
        ({"patience": 0}, "patience is 0 here, 10 published"),
        (
            {"optimizer": "sgd", "momentum": 0.9},
            "optimizer is sgd here, adam published; momentum is 0.9 here, 0 published",
        ),
        (
            {"epochs": 9, "dropout": 0.5, "patience": 3, "weight_decay": 0, "tf32": True},
            "dropout is 0.5 here, 0 published; weight_decay is 0 here, 1e-06 published; "
            "epochs is 9 here, 200 published; and 2 more",
        ),
    ],
)
def test_what_differs_from_the_nearest_run_is_named(own, changed, reason):
    settings = own(studies={"one": study(set=changed)})
    found = fact(settings, "model_capacity", 40)
    assert found["reason"] == reason
    assert found["studies"] == {}


def test_of_several_runs_the_nearest_is_compared(own):
    far = study(set={"epochs": 9, "dropout": 0.5})
    settings = own(studies={"far": far, "near": study(set={"epochs": 10})})
    assert fact(settings, "model_capacity", 40)["reason"] == "epochs is 10 here, 200 published"


def test_points_off_the_grid_are_named():
    settings = load("mnist")
    assert fact(settings, "model_capacity", 23)["reason"] == "width 23 is not in the grid"
    reason = fact(settings, "sample_size", 40, 30)["reason"]
    assert reason == "sample size 30 is not in the grid"
    reason = fact(settings, "sample_size", 50, 1000)["reason"]
    assert reason == "width 50 at sample size 1,000 is not in the grid"


def test_an_activation_off_the_grid_is_named(own):
    only_relu = study(
        recipe="oursland2024",
        factors={"activation": ["relu"]},
        measures=["perturbations"],
        figure={"kind": "perturbations", "kinds": ["scale"]},
    )
    settings = own(studies={"one": only_relu})
    assert fact(settings, "perturbation")["studies"] == {"one": ["final"]}
    reason = fact(settings, "perturbation", activation="abs")["reason"]
    assert reason == "activation abs is not in the grid"


def test_widths_are_per_layer_as_in_the_figures(own):
    deep = study(dataset="cifar10", set={"depth": 5}, factors={"width": [50]})
    settings = own(datasets={"cifar10": {"source": "cifar10"}}, studies={"one": deep})
    assert fact(settings, "model_capacity", 10, dataset="cifar10")["studies"] == {"one": ["final"]}
    reason = fact(settings, "model_capacity", 20, dataset="cifar10")["reason"]
    assert reason == "width 20 per layer is not in the grid"


def test_a_run_whose_study_does_not_take_the_measure_is_told(own):
    settings = own(
        studies={"one": study(measures=["layers"], figure={"kind": "layers", "line": "width"})}
    )
    assert conditions.scored_studies(settings) == []
    reason = fact(settings, "model_capacity", 40)["reason"]
    assert reason == "no study of this run has the measure codes"


def test_studies_that_are_not_run_do_not_count(own):
    both = {"one": study(), "rare": study(factors={"width": [50]}, optional=True)}
    settings = own(studies=both)
    assert conditions.scored_studies(settings) == ["one"]
    assert fact(settings, "model_capacity", 50)["reason"] == "width 50 is not in the grid"
    settings = own(studies=both, only=["rare"])
    assert conditions.scored_studies(settings) == ["rare"]


def test_data_that_only_hash_networks_are_trained_on_are_told():
    settings = load("mnist", only=["image_manifolds_mnist"])
    assert conditions.scored_studies(settings) == []
    reason = fact(settings, "model_capacity", 40)["reason"]
    assert reason == "no study that is run trains these networks on MNIST"


def test_other_settings_of_a_measure_are_told(own):
    metrics = {"knn_k": 5, "kmeans_clusters": 20}
    settings = own(studies={"one": study()}, metrics=metrics)
    assert conditions.facts(settings)["metrics"] == {
        "knn_accuracy": "knn_k is 5 here, 9 published",
        "kmeans_accuracy": "kmeans_clusters is 20 here, 10 published",
    }
    as_many = own(studies={"one": study()}, metrics={"kmeans_clusters": 10})
    assert conditions.facts(as_many)["metrics"] == {}


def test_what_no_run_can_reach_says_why():
    assert "48,000" in training("sample_size", 40, 60000).unreachable("final")
    assert "(A4)" in training("sample_size", 40, 60000).unreachable("final")
    assert training("sample_size", 40, 30000).unreachable("final") == ""
    assert training("sample_size", 10, 40000, "cifar10").unreachable("final") == ""
    late = training("training_time", 40).unreachable("2000")
    assert "2,000" in late
    assert "(A6)" in late
    assert training("training_time", 40).unreachable("200") == ""
    assert training("model_capacity", 40).unreachable("final") == ""


def test_the_last_epoch_is_the_end_of_training_unless_it_may_stop_early():
    assert training("training_time", 40).checkpoint("200") == "final"
    assert training("training_time", 40).checkpoint("60") == "60"
    assert training("training_time", 40).checkpoint("final") == "final"
    assert training("model_capacity", 40).checkpoint("200") == "200"


def test_the_facts_are_read_without_torch_and_pandas():
    heavy = ("torch", "pandas", "scipy", "sklearn")
    program = (
        "from neuralcodes.papers import conditions\n"
        "from neuralcodes.pipeline import configuration as config\n"
        "import sys\nfrom pathlib import Path\n"
        f"settings = config.load({{'preset': 'mnist'}}, Path({str(ROOT)!r}), {{}})\n"
        "conditions.scored_studies(settings), conditions.facts(settings)\n"
        f"print([each for each in {heavy} if each in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
