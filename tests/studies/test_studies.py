from collections.abc import Callable

import pytest

from neuralcodes.errors import ConfigError
from neuralcodes.studies import expansion
from neuralcodes.studies.expansion import Study
from neuralcodes.studies.hashruns import HashRun
from neuralcodes.studies.runs import Run

PATH = ("studies", "s", "seeds")
BASE = {
    "paper": "he2021",
    "title": "",
    "dataset": "digits",
    "recipe": "plain",
    "set": {},
    "factors": {"width": [4, 8]},
    "design": "grid",
    "seeds": 2,
    "checkpoints": ["final"],
    "measures": ["codes"],
    "significance": False,
    "optional": False,
    "figure": {"kind": "curves"},
}
HASHING = {
    **{"dataset": "manifolds", "recipe": "hashed", "factors": {"manifolds": [4, 8]}},
    **{"measures": ["manifolds"], "figure": {"kind": "manifold_sweep"}},
}
IMAGES = {**HASHING, "dataset": "digits", "recipe": "images"}


@pytest.fixture(scope="module")
def expand(make_run: Callable, make_hash_run: Callable) -> Callable[..., Study]:
    """Expand a small study.

    `plain` and `slow` are recipes, `short` one of 5 epochs; `hashed`, `brief` (10 steps) and
    `images` are recipes of hash networks.
    """
    plain = make_run(epochs=20, width=6).to_dict()
    del plain["dataset"]
    recipes = {
        "plain": plain,
        "slow": {**plain, "learning_rate": 0.001},
        "short": {**plain, "epochs": 5},
    }

    hashed = make_hash_run().to_dict()
    images = make_hash_run(family="images", network="cnn").to_dict()
    del hashed["dataset"], images["dataset"]
    hash_recipes = {"hashed": hashed, "brief": {**hashed, "steps": 10}, "images": images}

    def build(seeds_per_chunk: int = 10, **changes: object) -> Study:
        sources = {"digits": "digits", "own": "npz", "manifolds": "generated"}
        return expansion.expand(
            "s", BASE | changes, recipes, sources, {"digits": 1437}, seeds_per_chunk, hash_recipes
        )

    return build


def test_a_grid_crosses_all_factors_in_order(expand):
    study = expand(factors={"width": [4, 8], "dropout": [0, 0.5]})
    expected = [(4, 0.0), (4, 0.5), (8, 0.0), (8, 0.5)]
    assert [tuple(point.factors.values()) for point in study.points] == expected
    assert [(point.run.width, point.run.dropout) for point in study.points] == expected
    assert study.factors == ("width", "dropout")


def test_one_at_a_time_has_the_base_point_once_and_first(expand):
    factors = {"dropout": [0, 0.2, 0.5], "batch_norm": [True, False]}
    study = expand(factors=factors, design="one_at_a_time")
    points = [(point.factors["dropout"], point.factors["batch_norm"]) for point in study.points]
    assert points == [(0.0, True), (0.2, True), (0.5, True), (0.0, False)]


def test_one_at_a_time_takes_its_base_from_set(expand):
    study = expand(factors={"dropout": [0, 0.5]}, set={"dropout": 0.5}, design="one_at_a_time")
    assert [point.factors["dropout"] for point in study.points] == [0.5, 0.0]


def test_one_at_a_time_names_the_base_recipe(expand):
    study = expand(factors={"recipe": ["plain", "slow"]}, design="one_at_a_time")
    assert [point.factors["recipe"] for point in study.points] == ["plain", "slow"]


def test_points_that_train_alike_are_one(expand):
    # without a sample size there is no subset to choose
    factors = {"sample_size": [10, None], "subset": ["first", "random"]}
    assert len(expand(factors=factors).points) == 3


def test_recipes_that_train_alike_stay_two_points_of_one_run(expand):
    factors = {"recipe": ["plain", "short"], "width": [4]}
    study = expand(factors=factors, set={"epochs": 5})
    assert [point.factors["recipe"] for point in study.points] == ["plain", "short"]
    assert len({point.run.id for point in study.points}) == 1


def test_a_factor_wins_over_set_and_set_over_the_recipe(expand):
    run = expand(factors={"width": [4]}, set={"depth": 2}).points[0].run
    assert (run.width, run.depth, run.epochs) == (4, 2, 20)


def test_checkpoints_are_text(expand):
    assert expand(checkpoints=[0, 20, "final"]).checkpoints == ("0", "20", "final")


@pytest.mark.parametrize(
    ("seeds", "per_chunk", "chunks"),
    [
        (1, 10, ((0, 0),)),
        (10, 10, ((0, 9),)),
        (12, 5, ((0, 4), (5, 9), (10, 11))),
        (2, 1, ((0, 0), (1, 1))),
        (["0-9", "10-14"], 3, ((0, 9), (10, 14))),
        ([3, "7-7", 0], 10, ((3, 3), (7, 7), (0, 0))),
        (["007-9"], 10, ((7, 9),)),
    ],
)
def test_seeds_are_split_into_ensembles(seeds, per_chunk, chunks):
    assert expansion.chunks_of(seeds, per_chunk, PATH) == chunks


def test_more_seeds_change_no_full_ensemble_of_before():
    few, many = (expansion.chunks_of(seeds, 10, PATH) for seeds in (20, 45))
    assert many[: len(few)] == few


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        (["9-0"], r'^studies\.s\.seeds\[0\]: "9-0" is not allowed: it runs backwards; write 0-9'),
        ([1, 1], r"^studies\.s\.seeds\[1\]: 1 is not allowed: it lists seed 1 a second time"),
        (["0-4", 9, "4-6"], r'^studies\.s\.seeds\[2\]: "4-6" is not allowed: it lists seed 4'),
        (["5-9", "0-20"], r'^studies\.s\.seeds\[1\]: "0-20" is not allowed: it lists seed 5'),
        (["0-9999", 10000], r"^studies\.s\.seeds\[1\]: 10000 is not allowed: at most 10000 seeds"),
    ],
)
def test_impossible_seeds_are_refused(seeds, message):
    with pytest.raises(ConfigError, match=message):
        expansion.chunks_of(seeds, 10, PATH)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dataset": "digit"}, r'^studies\.s\.dataset: "digit" is no known dataset; .*digits\?'),
        ({"recipe": "slo"}, r'^studies\.s\.recipe: "slo" is no known recipe; did you mean slow\?'),
        ({"factors": {"widht": [4]}}, r'^studies\.s\.factors\.widht: "widht" is no known factor'),
        ({"factors": {"recipe": ["x"]}}, r'^studies\.s\.factors\.recipe\[0\]: "x" is no known'),
        ({"set": {"width": 9}}, r"^studies\.s\.set\.width: 9 .*factors\.width gives width too"),
        ({"set": {"depth": 6}}, r"^studies\.s\.factors\.width\[0\]: 4 .*at least 6, the depth"),
        (
            {"factors": {"depth": [1, 7]}},
            r"^recipes\.plain\.width: 6 is not allowed: at least 7, the depth",
        ),
        (
            {"factors": {"sample_size": [None, 1150]}},
            r"^studies\.s\.factors\.sample_size\[1\]: 1150 is not allowed: at most 1149, the tr",
        ),
        (
            {"set": {"validation_fraction": 0.9995}},
            r"^studies\.s\.set\.validation_fraction: 0\.9995 .* leaves none of the 1437 examples",
        ),
        (
            {"checkpoints": ["final", 21]},
            r"^studies\.s\.checkpoints\[1\]: 21 is not allowed: at most 20, .*recipes\.plain\.epo",
        ),
        (
            {"checkpoints": [6], "factors": {"recipe": ["plain", "short"]}},
            r"^studies\.s\.checkpoints\[0\]: 6 is not allowed: at most 5, .*recipes\.short\.epochs",
        ),
    ],
)
def test_a_study_that_cannot_run_is_refused(expand, changes, message):
    with pytest.raises(ConfigError, match=message) as raised:
        expand(**changes)
    assert "\n" not in str(raised.value)


def test_every_training_example_may_be_a_sample(expand):
    assert expand(factors={"sample_size": [1149]}).points[0].run.sample_size == 1149


def test_the_size_of_an_own_dataset_is_not_known_yet(expand):
    assert expand(dataset="own", factors={"sample_size": [10**6]}).points[0].run.dataset == "own"


def test_the_last_epoch_may_be_kept(expand):
    assert expand(checkpoints=[20]).checkpoints == ("20",)


def test_a_hash_recipe_makes_runs_of_hash_networks(expand):
    study = expand(**HASHING, set={"points": 7})
    assert study.hashing
    assert all(isinstance(point.run, HashRun) for point in study.points)
    found = [(point.run.manifolds, point.run.points, point.run.dataset) for point in study.points]
    assert found == [(4, 7, "manifolds"), (8, 7, "manifolds")]
    assert [point.factors for point in study.points] == [{"manifolds": 4}, {"manifolds": 8}]
    plain = expand()
    assert not plain.hashing
    assert all(isinstance(point.run, Run) for point in plain.points)


def test_hash_recipes_can_be_a_factor(expand):
    study = expand(**HASHING | {"factors": {"recipe": ["hashed", "brief"]}})
    assert [point.factors["recipe"] for point in study.points] == ["hashed", "brief"]
    assert [point.run.steps for point in study.points] == [20, 10]


def test_hash_networks_that_train_alike_are_one_point(expand):
    # convolutions have no first layer of a width
    assert len(expand(**IMAGES | {"factors": {"width": [10, 20]}}).points) == 1
    assert len(expand(**HASHING | {"factors": {"width": [10, 20]}}).points) == 2


def test_an_unknown_recipe_is_refused_with_those_of_both_kinds(expand):
    message = r"Allowed: brief, hashed, images, plain, short, slow$"
    with pytest.raises(ConfigError, match=rf'^studies\.s\.recipe: "hashd".* hashed\? {message}'):
        expand(recipe="hashd")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        # what belongs to networks of the other kind
        ({"factors": {"hash_width": [4]}}, r'factors\.hash_width: "hash_width" is no known factor'),
        (
            HASHING | {"factors": {"dropout": [0]}},
            r'factors\.dropout: "dropout" is no known factor.* weight_decay, width$',
        ),
        (
            HASHING | {"factors": {"recipe": ["hashed", "plain"]}},
            r'factors\.recipe\[1\]: "plain" is no known recipe.* Allowed: brief, hashed, images$',
        ),
        ({"factors": {"recipe": ["hashed"]}}, r'factors\.recipe\[0\]: "hashed" is no known recipe'),
        # data
        (
            {"dataset": "manifolds"},
            r'dataset: "manifolds" is not allowed: only hash_recipes make up their data',
        ),
        (
            HASHING | {"dataset": "digits"},
            r'dataset: "digits" .* family poly needs a dataset of source generated$',
        ),
        (
            IMAGES | {"dataset": "manifolds"},
            r'dataset: "manifolds" .* family images needs data with images$',
        ),
        (
            HASHING | {"factors": {"family": ["sine", "images"]}},
            r'dataset: "manifolds" .* family images needs data with images$',
        ),
        (
            HASHING | {"factors": {"network": ["hash", "cnn"]}},
            r'factors\.network\[1\]: "cnn" is not allowed: it takes images only$',
        ),
        (HASHING | {"set": {"network": "cnn"}}, r'set\.network: "cnn" is not allowed: it takes'),
        (
            IMAGES | {"factors": {"manifolds": [1437, 1438]}},
            r"factors\.manifolds\[1\]: 1438 is not allowed: at most 1437, the images in the train",
        ),
        (
            IMAGES | {"factors": {"points": [3]}, "set": {"manifolds": 1438}},
            r"set\.manifolds: 1438 is not allowed: at most 1437, .* training file of digits$",
        ),
        (
            IMAGES | {"factors": {"classes": ["0-4", "1,4-0"]}},
            r'factors\.classes\[1\]: "1,4-0" is not allowed: 4-0 runs backwards; write 0-4$',
        ),
        # steps
        (
            HASHING | {"set": {"warmup_steps": 21}},
            r"set\.warmup_steps: 21 .* at most 20, the steps in all, given by "
            r"hash_recipes\.hashed\.steps$",
        ),
        (
            HASHING | {"factors": {"steps": [9, 4]}},
            r"warmup_steps: 5 .* at most 4, .* given by studies\.s\.factors\.steps\[1\]$",
        ),
        # checkpoints
        (
            HASHING | {"checkpoints": ["final", 5]},
            r"checkpoints\[1\]: 5 is not allowed: final alone; hash networks are measured before",
        ),
        (
            HASHING | {"checkpoints": ["accuracy90"]},
            r'checkpoints\[0\]: "accuracy90" is not allowed: final alone',
        ),
    ],
)
def test_a_study_of_hash_networks_that_cannot_run_is_refused(expand, changes, message):
    with pytest.raises(ConfigError, match=message) as raised:
        expand(**changes)
    assert str(raised.value).startswith(("studies.s.", "hash_recipes."))
    assert "\n" not in str(raised.value)


def test_the_recipe_that_gives_too_many_warm_up_steps_is_named(expand):
    changes = {"factors": {"recipe": ["hashed", "brief"]}, "set": {"warmup_steps": 11}}
    with pytest.raises(ConfigError, match=r"hash_recipes\.brief\.steps$"):
        expand(**HASHING | changes)


def test_hash_networks_may_use_all_images_and_warm_up_in_all_steps(expand):
    some = {"manifolds": [1437], "classes": ["7", "0,3-3,8-9"]}
    study = expand(**IMAGES | {"factors": some, "set": {"warmup_steps": 20}})
    point, _ = study.points
    assert (point.run.manifolds, point.run.warmup_steps, point.run.steps) == (1437, 20, 20)


def test_the_number_of_own_images_is_not_known_yet(expand):
    study = expand(**IMAGES | {"dataset": "own", "factors": {"manifolds": [10**6]}})
    assert study.points[0].run.manifolds == 10**6
