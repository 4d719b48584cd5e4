"""The memory of one distance: small, and as good as all that was observed."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.mail.clocks.bounds import MAX_POINTS, ClockBound, Points, bound_at, tighten

STEEPEST = 200e-6
SECOND_NS = 1_000_000_000

observations = st.lists(
    st.tuples(
        st.integers(min_value=0, max_value=10**6).map(lambda seconds: seconds * SECOND_NS),
        st.integers(min_value=-(10**12), max_value=10**12),
    ),
    min_size=1,
    max_size=12,
)


def remember(pairs):
    points: Points = ()
    for at_ns, bound_ns in pairs:
        points = tighten(points, at_ns, bound_ns, STEEPEST)
    return points


@given(observations, st.floats(min_value=-1, max_value=1))
def test_it_never_claims_more_than_was_observed(pairs, share):
    points = remember(pairs)
    now_ns = 10**6 * SECOND_NS

    everything = bound_at(tuple(pairs), now_ns, share * STEEPEST, 0.0)

    assert bound_at(points, now_ns, share * STEEPEST, 0.0) >= everything - 1


@given(observations.filter(lambda pairs: len(pairs) <= MAX_POINTS), st.floats(min_value=-1, max_value=1))
def test_it_forgets_nothing_that_matters(pairs, share):
    points = remember(sorted(pairs))
    now_ns = 10**6 * SECOND_NS

    everything = bound_at(tuple(pairs), now_ns, share * STEEPEST, 0.0)

    assert abs(bound_at(points, now_ns, share * STEEPEST, 0.0) - everything) <= 1


@given(observations)
def test_it_is_of_bounded_size_and_in_order(pairs):
    points = remember(pairs * 3)

    assert 1 <= len(points) <= MAX_POINTS
    assert list(points) == sorted(points)
    assert len({at_ns for at_ns, _ in points}) == len(points)


def test_an_observation_that_says_nothing_new_changes_nothing():
    points = remember([(0, 1000)])

    assert tighten(points, SECOND_NS, 10_000_000, STEEPEST) is points


def test_the_tightest_of_one_instant_is_kept():
    assert remember([(5, 30), (5, 10), (5, 20)]) == ((5, 10),)


def test_a_bound_widens_with_age_on_both_sides():
    points = ((100 * SECOND_NS, 0),)

    assert bound_at(points, 110 * SECOND_NS, 0.0, 100e-6) == 1_000_000
    assert bound_at(points, 90 * SECOND_NS, 0.0, 100e-6) == 1_000_000
    assert round(bound_at(points, 110 * SECOND_NS, 20e-6, 0.0)) == 200_000


def test_of_a_span_of_time_its_farthest_instant_counts():
    """A message that was long on its way is read by bounds that were observed while it was."""
    points = ((100 * SECOND_NS, 0),)

    assert bound_at(points, 110 * SECOND_NS, 0.0, 100e-6, 0) == 10_000_000


def test_nothing_is_known_without_an_observation():
    assert bound_at((), 5, 0.0, 0.0) == inf


def test_the_spread_follows_what_is_usual():
    bound = ClockBound()
    for excess in (90.0, 110.0) * 50:
        bound = bound.with_settled(bound.settled, excess)

    assert 95 < bound.spread_ns < 105


def test_one_retry_after_an_hour_hardly_moves_the_spread():
    bound = ClockBound()
    for _ in range(30):
        bound = bound.with_settled(bound.settled, 100.0)

    assert bound.with_settled(bound.settled, 3600e9).spread_ns < 150


def test_what_is_observed_in_doubt_stands_apart():
    bound = ClockBound(settled=((1, 2),)).with_doubted(((3, 4),))

    assert (bound.settled, bound.doubted) == (((1, 2),), ((3, 4),))
