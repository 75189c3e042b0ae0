"""Regions of a heat map: where one ends and where its letter stands."""

import numpy as np
from scipy.ndimage import distance_transform_edt

Segment = tuple[tuple[int, int], tuple[int, int]]


def borders(groups: np.ndarray) -> list[Segment]:
    """Sides that cells of two different groups share.

    Args:
        groups: number of each cell's group, int64 (rows, columns); -1 for none.

    Returns:
        ((x, y), (x, y)) of each side, where cell (i, j) covers j to j + 1 and i to i + 1.
    """
    segments: list[Segment] = []
    for (i, j), group in np.ndenumerate(groups):
        right = groups[i, j + 1] if j + 1 < groups.shape[1] else -1
        above = groups[i + 1, j] if i + 1 < groups.shape[0] else -1
        if group >= 0 <= right and group != right:
            segments.append(((j + 1, i), (j + 1, i + 1)))
        if group >= 0 <= above and group != above:
            segments.append(((j, i + 1), (j + 1, i + 1)))
    return segments


def roomiest(groups: np.ndarray, group: int) -> tuple[int, int] | None:
    """The cell as far inside a group as there is room, and then as near to its middle as may be.

    Args:
        groups: as for `borders`.
        group: its number.

    Returns:
        Its row and column; None for a group without cells.
    """
    cells = np.argwhere(groups == group)
    if len(cells) == 0:
        return None
    depth = distance_transform_edt(np.pad(groups == group, 1))[1:-1, 1:-1][tuple(cells.T)]
    off_middle = np.square(cells - cells.mean(axis=0)).sum(axis=1)
    row, column = cells[np.lexsort((off_middle, -depth))[0]]
    return int(row), int(column)
