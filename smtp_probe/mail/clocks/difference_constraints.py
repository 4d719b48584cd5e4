"""Systems of difference constraints: what follows from bounds on the differences of unknown numbers.

In: a square matrix whose entry `[i][j]` says that unknown `j` less unknown `i` is at most so much (infinite: nothing is
known; zero on the diagonal). Out: the tightest bounds that follow, or that the bounds contradict each other; and a
point in the middle of all solutions. Shortest paths do both (Bellman, and Floyd and Warshall). Knows nothing of clocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

Matrix = list[list[float]]

TOLERANCE = 1000.0
"""How far a cycle may fall below zero by rounding before it is a contradiction (in the unit of the entries)."""


def unbounded(size: int) -> Matrix:
    """A system in which nothing is known."""
    return [[0.0 if row == column else inf for column in range(size)] for row in range(size)]


def intersect(one: Matrix, other: Matrix) -> Matrix:
    """The system in which the bounds of both hold."""
    return [list(map(min, row, opposite)) for row, opposite in zip(one, other, strict=True)]


def close(matrix: Matrix) -> bool:
    """Make every bound as tight as all others make it, in place. False, and nothing to be used, if they contradict.

    Takes time in the third power of the size.
    """
    for via, bridge in enumerate(matrix):
        for row in matrix:
            way = row[via]
            if way < inf and row is not bridge:
                _shorten(row, way, bridge)
    return all(row[index] >= -TOLERANCE for index, row in enumerate(matrix))


def find_centre(closed: Matrix, leaving: Sequence[float], entering: Sequence[float]) -> list[float]:
    """Give a solution from the middle of all solutions, with unknown 0 at zero.

    The mean of the corners of the set of solutions: one for each unknown pressed down as far as it goes, one for each
    lifted as far as it goes. A mean of solutions is a solution, so every bound holds for it. In a ring of differences
    of which only the sum is known, the corner with unknown `i` pressed down gives the whole sum to the difference that
    leaves `i`, and lifted to the one that enters it: so `leaving[i]` and `entering[i]` are the shares of the two.
    """
    size = len(closed)
    floor = closed[0]
    total = sum(leaving) + sum(entering)
    centre = [0.0] * size
    for corner, row in enumerate(closed):
        down, up = leaving[corner] / total, entering[corner] / total
        if not down and not up:
            continue
        base = row[0]
        lifted = floor[corner]
        for index in range(size):
            centre[index] += down * (row[index] - base) + up * (lifted - closed[index][corner])
    return centre


def _shorten(row: list[float], way: float, bridge: list[float]) -> None:
    for column, rest in enumerate(bridge):
        detour = way + rest
        if detour < row[column]:  # noqa: PLR1730 - the innermost loop: a call of min takes twice the time
            row[column] = detour
