import model_cases
import numpy as np
import pytest
from model_cases import CPU, split_of

from neuralcodes.measures import preactivations
from neuralcodes.measures.preactivations import EDGES, SHOWN, describe, measure_preactivations
from neuralcodes.storage import rows

SEEDS = [2, 5]


def values_of(found, metric, rank=None):
    return [row[3] for row in found if row[2] == metric and rank in (None, row[0])]


def test_a_unit_described_by_hand():
    # mean 2, variance 5; the median lies between 1 and 3, the quartile at a quarter from 1 to -1
    found = describe(np.array([[3.0], [-1], [5], [1]]))
    assert values_of(found, "active_share") == [0.75]
    deviation = 5**0.5
    assert values_of(found, "quantile_50") == pytest.approx([2 / deviation])
    assert values_of(found, "quantile_25") == pytest.approx([0.5 / deviation])
    assert values_of(found, "quantile_75") == pytest.approx([3.5 / deviation])
    assert values_of(found, "quantile_05") == pytest.approx([(-1 + 0.15 * 2) / deviation])
    assert values_of(found, "quantile_95") == pytest.approx([(5 - 0.15 * 2) / deviation])
    assert {row[0] for row in found} == {0}


def test_units_are_ranked_by_the_share_of_examples_on_the_positive_side():
    values = np.array([[1.0, -1, -1], [2, -2, 3], [3, 5, 2], [-4, -3, -2], [5, -4, -3]])
    found = [(row[0], row[3]) for row in describe(values) if row[2] == "active_share"]
    assert found == [(0, 0.2), (1, 0.4), (2, 0.8)]
    assert values_of(describe(values), "quantile_50", rank=0) == pytest.approx(
        [-2 / values[:, 1].std()]
    )


def test_units_of_equal_share_keep_their_order():
    values = np.array([[1.0, 2], [-3, -1]])
    found = [values_of(describe(values), "quantile_50", rank=rank) for rank in (0, 1)]
    assert found == [pytest.approx([-0.5]), pytest.approx([1 / 3])]


def test_a_value_of_0_is_not_on_the_positive_side():
    assert values_of(describe(np.array([[0.0], [1], [-1], [0]])), "active_share") == [0.25]


def test_quantiles_are_in_standard_deviations_of_the_unit():
    values = np.random.default_rng(0).normal(size=(200, 1))
    plain, wider = (describe(values * factor) for factor in (1, 50))
    for row, other in zip(plain, wider, strict=True):
        assert row[:3] == other[:3]
        assert row[3] == pytest.approx(other[3])


def test_a_constant_unit_is_left_out_and_keeps_its_rank():
    values = np.random.default_rng(0).normal(size=(50, 3)) + np.array([0, 0, 9])
    values[:, 1] = -2.0
    found = describe(values)
    # the constant one is never active: rank 0
    assert sorted({row[0] for row in found}) == [1, 2]


def test_the_density_counts_the_examples_of_each_bin():
    # of standard deviation root 1/2, so that they lie at -1.37, 0.04, 0.04 and 1.46
    values = np.array([[-0.97], [0.03], [0.03], [1.03]])
    found = [row for row in describe(values) if row[2] == "density"]
    heights = {row[1]: row[3] for row in found if row[3]}
    assert heights == {-1.35: pytest.approx(2.5), 0.05: pytest.approx(5), 1.45: pytest.approx(2.5)}
    assert [row[1] for row in found] == pytest.approx((EDGES[:-1] + EDGES[1:]) / 2)


def test_bins_are_a_tenth_of_a_standard_deviation_wide_and_leave_0_between_two():
    assert np.diff(EDGES) == pytest.approx(0.1)
    assert abs(EDGES).min() == pytest.approx(0)
    assert EDGES[0] == -EDGES[-1] <= -4


def test_the_density_covers_the_share_of_examples_within_its_edges():
    values = np.random.default_rng(0).standard_cauchy(size=(400, 1))
    within = (abs(values / values.std()) <= EDGES[-1]).mean()
    assert within < 1
    assert sum(values_of(describe(values), "density")) * 0.1 == pytest.approx(within)


@pytest.mark.parametrize(
    ("units", "shown"),
    [
        (1, [0]),
        (3, [0, 1, 2]),
        (5, [0, 1, 2, 3, 4]),
        (9, [0, 2, 4, 6, 8]),
        (100, [0, 25, 50, 74, 99]),
    ],
)
def test_whole_distributions_are_kept_of_units_spread_over_the_ranks(units, shown):
    values = np.random.default_rng(0).normal(size=(30, units)) + np.linspace(-1, 1, units)
    found = describe(values)
    assert sorted({row[0] for row in found if row[2] == "density"}) == shown
    assert len(shown) <= SHOWN
    assert len(values_of(found, "active_share")) == units


def test_positions_stand_in_rows_of_the_density_alone():
    found = describe(np.random.default_rng(0).normal(size=(30, 2)))
    assert {row[2] for row in found if row[1] == ""} == {"active_share"} | {
        f"quantile_{name}" for name in ("05", "25", "50", "75", "95")
    }
    assert all(isinstance(row[1], float) for row in found if row[2] == "density")


@pytest.fixture(scope="module")
def save(make_run, tmp_path_factory):
    """Write a model file of networks with random parameters."""

    def build(reached=None, **changes):
        run = make_run(**changes)
        return run, *model_cases.write(tmp_path_factory.mktemp("models"), run, SEEDS, reached)

    return build


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"depth": 2, "width": 14, "activation": "abs", "batch_norm": False},
        {"sample_size": 20, "subset": "random", "activation": "tanh"},
    ],
    ids=lambda changes: "-".join(changes) or "relu",
)
def test_the_last_hidden_layer_is_described_over_the_examples_of_each_seed(
    save, toy, images, changes
):
    run, path, ensemble = save(**changes)
    table = measure_preactivations(path, "final", toy, CPU)
    assert {len(row) for row in table} == {len(rows.UNIT_COLUMNS)}
    for i, seed in enumerate(SEEDS):
        pre, _ = next(ensemble.evaluate(split_of(run, images, seed, "train")[0]))
        expected = describe(pre[i][:, -run.layers[-1] :].numpy())
        found = [row for row in table if row[1] == seed]
        assert {row[:4] for row in found} == {(run.id, seed, "final", "train")}
        assert [row[4:7] for row in found] == [row[:3] for row in expected]
        scalars = [(row[7], other[3]) for row, other in zip(found, expected, strict=True)]
        for (ours, theirs), row in zip(scalars, found, strict=True):
            if row[6] != "density":  # a rounding may move an example to the next bin
                assert ours == pytest.approx(theirs, abs=1e-4)


def test_seeds_that_never_reached_an_accuracy_have_no_rows(save, toy):
    _, path, _ = save(reached={"accuracy50": [None, 4]})
    assert {row[1] for row in measure_preactivations(path, "accuracy50", toy, CPU)} == {5}
    assert {row[1] for row in measure_preactivations(path, "final", toy, CPU)} == {2, 5}


def test_rows_are_written_with_an_empty_position_for_the_whole_unit(tmp_path):
    found = [("r", 0, "final", "train", *row) for row in describe(np.array([[1.0], [-1], [3]]))]
    rows.write(tmp_path / "units.csv", found, rows.UNIT_COLUMNS)
    lines = (tmp_path / "units.csv").read_text().splitlines()
    assert lines[:2] == [
        "run,seed,epoch,split,unit,position,metric,value",
        "r,0,final,train,0,,active_share,0.666666667",
    ]
    assert lines[7].startswith(f"r,0,final,train,0,{EDGES[0] + 0.05:.9g},density,")


def test_the_quantiles_are_named_by_their_percentage():
    assert preactivations.QUANTILES == (0.05, 0.25, 0.5, 0.75, 0.95)
