import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from neuralcodes import metrics
from neuralcodes.codes import packed as codes

BITS = hnp.arrays(bool, st.tuples(st.integers(1, 30), st.integers(0, 12)))


def test_redundancy_counts_the_codes_already_taken():
    bits = np.array([[0, 1], [0, 1], [1, 0], [0, 1]], bool)
    assert metrics.redundancy_ratio(codes.pack(bits)) == 0.5
    assert metrics.redundancy_ratio(codes.pack(np.eye(4, dtype=bool))) == 0


@given(BITS)
def test_redundancy_is_that_of_numpys_unique_rows(bits):
    ratio = metrics.redundancy_ratio(codes.pack(bits))
    distinct = len(np.unique(bits, axis=0)) if bits.size else 1
    assert ratio == 1 - distinct / len(bits)
    assert 0 <= ratio < 1


@given(BITS, st.randoms(use_true_random=False))
def test_redundancy_ignores_the_order_of_units_and_examples(bits, random):
    units, examples = list(range(bits.shape[1])), list(range(len(bits)))
    random.shuffle(units)
    random.shuffle(examples)
    mixed = bits[examples][:, units]
    assert metrics.redundancy_ratio(codes.pack(mixed)) == metrics.redundancy_ratio(codes.pack(bits))


def test_redundancy_of_equal_codes_is_all_but_one():
    assert metrics.redundancy_ratio(np.zeros((10, 0), np.uint8)) == 0.9
    assert metrics.redundancy_ratio(np.full((10, 3), 7, np.uint8)) == 0.9


@pytest.mark.parametrize("packed", [np.zeros((4, 3)), np.zeros((0, 3), np.uint8)])
def test_redundancy_rejects_what_is_not_packed_codes(packed):
    with pytest.raises(ValueError, match="non-empty uint8 matrix"):
        metrics.redundancy_ratio(packed)


def test_a_subset_is_drawn_without_replacement():
    packed = codes.pack(np.eye(50, dtype=bool))
    assert metrics.redundancy_ratio_of_subset(packed, 40, seed=0) == 0
    twice = packed.repeat(2, axis=0)
    assert metrics.redundancy_ratio_of_subset(twice, 100, seed=0) == 0.5


def test_a_subset_follows_its_seed():
    packed = codes.pack(np.random.default_rng(0).random((300, 8)) < 0.5)
    ratios = [metrics.redundancy_ratio_of_subset(packed, 60, seed) for seed in (1, 1, 2, 3, 4)]
    assert ratios[0] == ratios[1]
    assert len(set(ratios)) > 1


@pytest.mark.parametrize("examples", [0, 5])
def test_a_subset_larger_than_the_split_is_rejected(examples):
    with pytest.raises(ValueError, match="cannot draw"):
        metrics.redundancy_ratio_of_subset(np.zeros((4, 1), np.uint8), examples, seed=0)


# code length


def test_constant_units_do_not_count_towards_the_code_length():
    train = codes.pack(np.array([[1, 0, 0, 1, 1], [1, 0, 1, 1, 1]], bool))
    test = codes.pack(np.array([[1, 0, 1, 1, 0]], bool))
    assert metrics.code_length(5, train) == 1
    assert metrics.code_length(5, train, test) == 2


@given(BITS)
def test_code_length_is_the_number_of_columns_that_vary(bits):
    expected = int((bits != bits[0]).any(axis=0).sum())
    assert metrics.code_length(bits.shape[1], codes.pack(bits)) == expected


def test_code_length_rejects_no_split_and_wrong_units():
    with pytest.raises(ValueError, match="at least one split"):
        metrics.code_length(5)
    with pytest.raises(ValueError, match="9 units need 2 bytes"):
        metrics.code_length(9, np.zeros((4, 1), np.uint8))
