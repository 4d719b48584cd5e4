"""Bounds on differences: what follows from them, contradictions, and the middle of all solutions."""

from itertools import product
from math import inf

from hypothesis import assume, given
from hypothesis import strategies as st

from smtp_probe.mail.clocks.difference_constraints import TOLERANCE, close, find_centre, intersect, unbounded

numbers = st.integers(min_value=-(10**9), max_value=10**9)


def satisfied(matrix, solution):
    size = len(solution)
    return all(
        solution[column] - solution[row] <= matrix[row][column] + TOLERANCE
        for row, column in product(range(size), repeat=2)
    )


@st.composite
def solvable(draw):
    """Constraints made around a known solution, some of them missing."""
    solution = draw(st.lists(numbers, min_size=1, max_size=6))
    matrix = unbounded(len(solution))
    for row, column in product(range(len(solution)), repeat=2):
        slack = draw(st.none() | st.integers(min_value=0, max_value=10**6))
        if row != column and slack is not None:
            matrix[row][column] = float(solution[column] - solution[row] + slack)
    return solution, matrix


@given(solvable())
def test_what_follows_holds_for_every_solution(case):
    solution, matrix = case

    assert close(matrix)
    assert satisfied(matrix, solution)


@given(solvable())
def test_the_tightest_bounds_are_reached_by_solutions(case):
    _, matrix = case
    given_bounds = [row[:] for row in matrix]
    close(matrix)

    for row in matrix:
        if inf not in row:
            assert satisfied(given_bounds, row)


def test_a_chain_of_bounds_bounds_its_ends():
    matrix = unbounded(3)
    matrix[0][1], matrix[1][2] = 5000.0, 7000.0

    assert close(matrix)
    assert matrix[0][2] == 12_000.0
    assert matrix[2][0] == inf


def test_a_ring_that_sums_to_less_than_nothing_is_a_contradiction():
    matrix = unbounded(3)
    matrix[0][1], matrix[1][2], matrix[2][0] = 5000.0, 7000.0, -14_000.0

    assert not close(matrix)


def test_rounding_is_no_contradiction():
    matrix = unbounded(2)
    matrix[0][1], matrix[1][0] = 5000.0, -5000.1

    assert close(matrix)


def test_the_intersection_holds_both():
    one, other = unbounded(2), unbounded(2)
    one[0][1], other[0][1], other[1][0] = 5.0, 3.0, 9.0

    assert intersect(one, other) == [[0.0, 3.0], [9.0, 0.0]]


@given(solvable(), st.data())
def test_the_centre_is_a_solution_whatever_the_shares(case, data):
    _, matrix = case
    given_bounds = [row[:] for row in matrix]
    close(matrix)
    assume(all(inf not in row for row in matrix))
    size = len(matrix)
    shares = st.lists(st.floats(0, 10), min_size=size, max_size=size)
    leaving, entering = data.draw(shares), data.draw(shares)
    assume(sum(leaving) + sum(entering) > 0.01)

    centre = find_centre(matrix, leaving, entering)

    assert centre[0] == 0
    assert satisfied(given_bounds, centre)


def test_a_sum_that_is_known_is_divided_by_the_shares():
    """Three passages in a ring, none less than nothing, together 100: what NTP cannot know is divided 1:2:7."""
    ring = unbounded(3)
    ring[1][0] = ring[2][1] = 0.0
    ring[0][2] = 100.0
    assert close(ring)

    centre = find_centre(ring, [1.0, 2.0, 7.0], [7.0, 1.0, 2.0])

    assert [centre[1], centre[2] - centre[1], 100 - centre[2]] == [10.0, 20.0, 70.0]


def test_a_bound_on_both_sides_has_its_middle():
    box = unbounded(2)
    box[0][1], box[1][0] = 30.0, -10.0

    assert find_centre(box, [1.0, 1.0], [1.0, 1.0]) == [0.0, 20.0]
