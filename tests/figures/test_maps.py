import numpy as np

from neuralcodes.figures import maps

GROUPS = np.array([[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, -1]])


def test_borders_stand_between_two_groups_and_not_beside_nothing():
    assert maps.borders(GROUPS) == [((3, 0), (3, 1)), ((3, 1), (3, 2))]
    upright = maps.borders(GROUPS.T)
    assert upright == [((0, 3), (1, 3)), ((1, 3), (2, 3))]


def test_a_letter_stands_where_its_group_has_most_room():
    assert maps.roomiest(GROUPS, 0) == (1, 1)
    assert maps.roomiest(GROUPS, 1) in ((0, 3), (1, 3))
    assert maps.roomiest(GROUPS, 2) is None
