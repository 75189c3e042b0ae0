from collections.abc import Callable

import pytest

from neuralcodes import studies
from neuralcodes.errors import ConfigError
from neuralcodes.studies import Study

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


@pytest.fixture(scope="module")
def expand(make_run: Callable) -> Callable[..., Study]:
    """Expand a small study; `plain` and `slow` are recipes, `short` one of 5 epochs."""
    plain = make_run(epochs=20, width=6).to_dict()
    del plain["dataset"]
    recipes = {
        "plain": plain,
        "slow": {**plain, "learning_rate": 0.001},
        "short": {**plain, "epochs": 5},
    }

    def build(seeds_per_chunk: int = 10, **changes: object) -> Study:
        sources = {"digits": "digits", "own": "npz"}
        return studies.expand("s", BASE | changes, recipes, sources, seeds_per_chunk)

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
    assert studies.chunks_of(seeds, per_chunk, PATH) == chunks


def test_more_seeds_change_no_full_ensemble_of_before():
    few, many = (studies.chunks_of(seeds, 10, PATH) for seeds in (20, 45))
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
        studies.chunks_of(seeds, 10, PATH)


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
