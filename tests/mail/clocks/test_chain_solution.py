"""What stamps and memory say together."""

from math import inf

from smtp_probe.mail.clocks.chain_solution import observe, solve
from smtp_probe.mail.clocks.difference_constraints import unbounded
from tests.mail.clocks.samples import MS, SECOND_NS, chain_of, hop, sighting, stamp


def solve_alone(chain, drift=0.0):
    growths = [0.0] + [drift] * (len(chain.domains) - 1)
    observed = observe(chain, growths)
    return solve(chain, unbounded(len(chain.domains)), observed, growths)


def bounds_ms(solution, place):
    lower, upper = solution.offset_bounds(place)
    return round(lower / MS, 3), round(upper / MS, 3)


def test_the_first_clock_is_known_to_the_width_of_its_window():
    solution = solve_alone(chain_of(hop("a", 3205, event="rcpt")))

    assert bounds_ms(solution, 1) == (3209, 3211)


def test_a_later_clock_is_known_to_the_time_the_message_took():
    solution = solve_alone(chain_of(hop("a", 0), hop("b", 1050), seen_ms=100))

    assert bounds_ms(solution, 2) == (950, 1050)


def test_neighbours_bound_each_other():
    chain = chain_of(hop("a", -5, event="rcpt"), hop("b", 1050), hop("c", -950), seen_ms=100)

    solution = solve_alone(chain)

    assert round(solution.offsets[2][3] / MS) == -2000
    assert round(-solution.offsets[3][2] / MS) == -2100


def test_two_stamps_of_one_clock_have_an_exact_distance():
    solution = solve_alone(chain_of(hop("a", 0), hop("b", 7030), store=stamp("b", 7042), seen_ms=100))

    assert round(solution.instants[2][3] / MS, 3) == 12
    assert round(-solution.instants[3][2] / MS, 3) == 12


def test_one_clock_before_and_after_bounds_what_is_between():
    chain = chain_of(
        hop("a", 0), hop("b", 7030), hop("c", 99_000), hop("b", 7033), seen_ms=100, store=stamp("b", 7090)
    )

    solution = solve_alone(chain)

    assert solution.instants[2][3] <= 3.001 * MS


def test_memory_narrows_what_a_coarse_stamp_leaves_open():
    chain = chain_of(hop("a", 0), hop("b", 0, resolution_ms=1000), seen_ms=2000)
    history = unbounded(3)
    history[0][2], history[2][0] = -490.0 * MS, 510.0 * MS

    solution = solve(chain, history, observe(chain, (0, 0, 0)), (0, 0, 0))

    assert round(-solution.instants[2][0] / MS) == 490
    assert round(solution.instants[0][2] / MS) == 1510


def test_memory_that_cannot_be_true_any_more_is_a_contradiction():
    chain = chain_of(hop("a", 0), hop("b", 5050), seen_ms=100)
    history = unbounded(3)
    history[0][2] = 20.0 * MS

    assert solve(chain, history, observe(chain, (0, 0, 0)), (0, 0, 0)) is None


def test_a_clock_that_ran_backwards_on_the_way_is_a_contradiction():
    assert solve_alone(chain_of(hop("a", 0), hop("b", 50), hop("b", 40))) is None


def test_a_clock_that_shows_more_time_than_passed_is_a_contradiction():
    assert solve_alone(chain_of(hop("a", 0), hop("b", 50), hop("b", 250), seen_ms=100)) is None


def test_drift_within_the_message_is_allowed_for():
    chain = chain_of(hop("a", 0), hop("b", 0), hop("b", 10_010), seen_ms=10_009)

    assert solve_alone(chain) is None
    assert solve_alone(chain, drift=1e-3) is not None


def test_a_sighting_pins_a_clock_down():
    chain = chain_of(
        hop("a", 0), store=stamp("m", 7050), seen_ms=100, sightings=[sighting("m", 6500, -502, -498)]
    )

    solution = solve_alone(chain)

    assert bounds_ms(solution, 2) == (6998, 7002)
    assert round(-solution.instants[2][0] / MS) == 48


def test_clocks_that_never_met_say_nothing_of_each_other():
    assert observe(chain_of(hop("a", 0), hop("b", SECOND_NS / MS)), (0, 0, 0))[2][1] == inf
