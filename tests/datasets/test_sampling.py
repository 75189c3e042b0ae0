import numpy as np
import pytest

from neuralcodes.datasets import sampling
from neuralcodes.errors import DataError
from neuralcodes.studies.runs import training_part

LABELS = np.repeat([0, 1, 2], [50, 30, 20])[np.random.default_rng(0).permutation(100)]


@pytest.mark.parametrize(
    ("examples", "fraction", "expected"),
    [(60000, 0.2, 48000), (50000, 0.2, 40000), (1437, 0.2, 1149), (100, 0, 100), (10, 0.3, 7)],
)
def test_the_first_part_of_the_file_trains(examples, fraction, expected):
    assert training_part(examples, fraction) == expected


def test_without_sample_size_the_whole_training_part_is_used(make_run):
    np.testing.assert_array_equal(sampling.training_rows(make_run(), LABELS, 3), np.arange(80))


def test_the_published_subset_is_the_first_n_for_every_seed(make_run):
    run = make_run(sample_size=7)
    for seed in (0, 1):
        np.testing.assert_array_equal(sampling.training_rows(run, LABELS, seed), np.arange(7))


@pytest.mark.parametrize("subset", ["random", "stratified"])
def test_a_drawn_subset_is_distinct_differs_by_seed_and_never_validates(make_run, subset):
    run = make_run(sample_size=30, subset=subset)
    drawn = [sampling.training_rows(run, LABELS, seed) for seed in range(5)]
    for rows in drawn:
        assert len(set(rows.tolist())) == len(rows) == 30
        assert set(rows.tolist()) <= set(range(80))
        assert rows.dtype == np.int64
    assert len({tuple(sorted(rows)) for rows in drawn}) == 5
    np.testing.assert_array_equal(drawn[2], sampling.training_rows(run, LABELS, 2))


def test_a_stratified_subset_keeps_the_proportions(make_run):
    labels = np.tile(np.repeat([0, 1, 2], [5, 3, 2]), 10)
    run = make_run(sample_size=20, subset="stratified")
    for seed in range(5):
        rows = sampling.training_rows(run, labels, seed)
        assert np.bincount(labels[rows]).tolist() == [10, 6, 4]


def test_what_a_stratified_subset_cannot_share_evenly_goes_to_the_largest_remainders(make_run):
    labels = np.tile(np.repeat([0, 1, 2], [5, 3, 2]), 10)
    run = make_run(sample_size=11, subset="stratified")  # shares 5.5, 3.3, 2.2
    rows = sampling.training_rows(run, labels, 0)
    assert np.bincount(labels[rows]).tolist() == [6, 3, 2]


def test_equal_remainders_are_drawn_per_seed(make_run):
    labels, run = np.tile([0, 1, 2, 3], 25), make_run(sample_size=2, subset="stratified")
    chosen = {tuple(sorted(labels[sampling.training_rows(run, labels, s)])) for s in range(40)}
    assert len(chosen) == 6  # every pair of classes; a class never twice


def test_a_stratified_subset_is_not_sorted_by_class(make_run):
    run = make_run(sample_size=40, subset="stratified")
    labels = LABELS[sampling.training_rows(run, LABELS, 0)]
    assert not np.array_equal(labels, np.sort(labels))


@pytest.mark.parametrize("subset", ["first", "random", "stratified"])
def test_a_sample_of_everything_is_everything(make_run, subset):
    rows = sampling.training_rows(make_run(sample_size=80, subset=subset), LABELS, 1)
    np.testing.assert_array_equal(np.sort(rows), np.arange(80))


@pytest.mark.parametrize("subset", ["first", "random", "stratified"])
def test_more_examples_than_there_are_is_an_error(make_run, subset):
    run = make_run(sample_size=81, subset=subset)
    with pytest.raises(DataError, match=r"sample_size: 81 is more than the 80 .* take it out"):
        sampling.training_rows(run, LABELS, 0)


@pytest.mark.parametrize(
    ("examples", "expected"),
    [(10, 4800), (6000, 8), (10000, 4), (20000, 2), (30000, 1), (40000, 1), (48000, 1)],
)
def test_a_sample_is_repeated_as_published(make_run, examples, expected):
    assert sampling.repeats(make_run(sample_size=examples), examples, 48000) == expected


def test_the_whole_training_part_is_not_repeated(make_run):
    assert sampling.repeats(make_run(), 48000, 48000) == 1


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.5, 1.0])
def test_label_noise_permutes_its_fraction_of_the_labels(make_run, fraction):
    before, labels = LABELS.copy(), LABELS.copy()
    noisy = sampling.noisy_labels(make_run(label_noise=fraction), labels, 4)
    np.testing.assert_array_equal(labels, before)
    np.testing.assert_array_equal(np.sort(noisy), np.sort(before))
    changed = (noisy != before).sum()
    assert changed <= 100 * fraction
    assert changed >= 100 * fraction * 0.3  # 0.62 is expected: 1 - (0.5^2 + 0.3^2 + 0.2^2)


def test_label_noise_changes_only_its_rows(make_run):
    labels = np.arange(100)  # distinct, so that every moved label shows
    noisy = sampling.noisy_labels(make_run(label_noise=0.3), labels, 4)
    moved = np.flatnonzero(noisy != labels)
    assert 20 < len(moved) <= 30
    assert set(noisy[moved]) == set(moved)


def test_more_noise_keeps_the_noisy_rows_of_less():
    few, many = (
        sampling.noisy_rows(fraction, 200, np.random.default_rng(1)) for fraction in (0.2, 0.5)
    )
    assert (len(few), len(many)) == (40, 100)
    assert set(few) < set(many)


@pytest.mark.parametrize(("maximum", "seen"), [(255, 256), (16, 17)])
def test_noise_on_integer_inputs_fills_their_range(make_run, maximum, seen):
    inputs = np.full((200, 50), 7, np.uint8)
    noisy = sampling.noisy_inputs(make_run(input_noise=0.5), inputs, maximum, 0)
    assert noisy.dtype == np.uint8
    assert (inputs == 7).all()
    replaced = (noisy != 7).any(1)
    assert replaced.sum() == 100
    assert len(np.unique(noisy[replaced])) == seen
    assert (noisy.min(), noisy.max()) == (0, maximum)


def test_noise_on_float_inputs_is_uniform_up_to_the_maximum(make_run):
    inputs = np.full((200, 50), -1, np.float32)
    noisy = sampling.noisy_inputs(make_run(input_noise=0.5), inputs, 3.0, 0)
    assert noisy.dtype == np.float32
    replaced = noisy[(noisy != -1).any(1)]
    assert len(replaced) == 100
    assert 0 <= replaced.min() < 0.01
    assert 2.99 < replaced.max() < 3
    assert replaced.mean() == pytest.approx(1.5, abs=0.05)


def test_noise_differs_by_seed_and_repeats_for_one(make_run):
    run, inputs = make_run(input_noise=0.5, label_noise=0.5), np.zeros((20, 3), np.uint8)
    labels = np.arange(20)
    for noise in (
        lambda seed: sampling.noisy_inputs(run, inputs, 255, seed),
        lambda seed: sampling.noisy_labels(run, labels, seed),
    ):
        assert np.array_equal(noise(0), noise(0))
        assert not np.array_equal(noise(0), noise(1))


def test_without_noise_nothing_changes(make_run):
    inputs = np.arange(12, dtype=np.uint8).reshape(4, 3)
    np.testing.assert_array_equal(sampling.noisy_inputs(make_run(), inputs, 255, 0), inputs)
    np.testing.assert_array_equal(sampling.noisy_labels(make_run(), LABELS, 0), LABELS)
