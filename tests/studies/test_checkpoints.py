import pytest

from neuralcodes.studies import checkpoints


@pytest.mark.parametrize(
    ("name", "epoch", "percent"),
    [
        ("0", True, None),
        ("200", True, None),
        ("accuracy1", False, 1),
        ("accuracy90", False, 90),
        ("accuracy100", False, 100),
        ("final", False, None),
        ("accuracy", False, None),
        ("accuracy9.5", False, None),
        ("accuracy-9", False, None),
        ("90accuracy", False, None),
        ("-1", False, None),
        ("", False, None),
    ],
)
def test_a_name_says_an_epoch_or_an_accuracy(name, epoch, percent):
    assert checkpoints.is_epoch(name) is epoch
    assert checkpoints.threshold_of(name) == percent


def test_epochs_come_first_then_accuracies_then_the_end():
    expected = ["0", "3", "10", "999999999999", "accuracy5", "accuracy50", "accuracy100", "final"]
    assert sorted(sorted(expected), key=checkpoints.order) == expected


@pytest.mark.parametrize("name", ["last", "accuracy", "1.5", "-1", "Final", ""])
def test_what_is_no_name_of_a_checkpoint_has_no_place(name):
    assert checkpoints.order(name) is None


def test_an_epoch_is_its_own_place():
    assert checkpoints.order("120") == 120
