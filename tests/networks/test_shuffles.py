import pytest
import torch

from neuralcodes.networks.training.shuffles import Shuffles
from neuralcodes.storage.randomness import torch_generator


def plain(seed, epochs, length=20):
    generator = torch_generator(seed, "shuffle")
    return [torch.randperm(length, generator=generator) for _ in range(epochs)]


def orders(shuffles, members, length=20):
    drawn, rows = shuffles.draw(members, length)
    return drawn[rows]


@pytest.mark.parametrize("ahead", [False, True])
def test_every_member_has_the_orders_of_its_seed(ahead):
    shuffles, expected = Shuffles([3, 8, 5]), [plain(seed, 4) for seed in (3, 8, 5)]
    for epoch in range(4):
        found = orders(shuffles, [0, 1, 2])
        assert torch.equal(found, torch.stack([each[epoch] for each in expected]))
        if ahead:
            shuffles.draw_ahead([0, 1, 2], 20)


def test_members_of_one_seed_share_its_order_which_is_drawn_once():
    shuffles = Shuffles([7, 4, 7, 4, 7])
    for epoch in range(3):
        drawn, rows = shuffles.draw([0, 1, 2, 3, 4], 20)
        assert rows == [0, 1, 0, 1, 0]
        expected = torch.stack([plain(7, 3)[epoch], plain(4, 3)[epoch]])
        assert torch.equal(drawn, expected)


def test_a_seed_goes_on_while_one_of_its_members_does():
    shuffles = Shuffles([7, 4, 7])
    orders(shuffles, [0, 1, 2])
    assert torch.equal(orders(shuffles, [2]), plain(7, 2)[1][None])
    assert torch.equal(orders(shuffles, [2]), plain(7, 3)[2][None])


def test_to_draw_ahead_leaves_the_generators_where_they_are():
    shuffles = Shuffles([1, 2])
    before = [each.get_state() for each in shuffles.generators]
    shuffles.draw_ahead([0, 1], 20)
    for generator, state in zip(shuffles.generators, before, strict=True):
        assert torch.equal(generator.get_state(), state)
    orders(shuffles, [0, 1])
    assert not torch.equal(shuffles.generators[0].get_state(), before[0])


def test_what_was_drawn_ahead_of_another_state_is_not_used():
    shuffles = Shuffles([1])
    states = [shuffles.generators[0].get_state()]
    orders(shuffles, [0])
    shuffles.draw_ahead([0], 20)
    shuffles.generators[0].set_state(states[0])
    assert torch.equal(orders(shuffles, [0])[0], plain(1, 1)[0])
    assert torch.equal(orders(shuffles, [0])[0], plain(1, 2)[1])


def test_what_was_drawn_ahead_for_another_length_is_not_used():
    shuffles = Shuffles([1])
    shuffles.draw_ahead([0], 20)
    assert torch.equal(orders(shuffles, [0], 30)[0], plain(1, 1, 30)[0])


def test_fewer_members_take_what_was_drawn_ahead_for_more():
    shuffles = Shuffles([1, 2, 3])
    shuffles.draw_ahead([0, 1, 2], 20)
    assert torch.equal(orders(shuffles, [1])[0], plain(2, 1)[0])
    assert torch.equal(orders(shuffles, [0, 2])[1], plain(3, 1)[0])
