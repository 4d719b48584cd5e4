"""Every slot of a route is a start, or was said to be missed, or is found to have passed."""

from smtp_probe.app.engine.slots import Slots


def test_slots_that_nobody_spoke_of_are_found_at_the_next_start():
    slots = Slots()

    assert slots.started("r", 1000, 10) == 0
    assert slots.started("r", 1010, 10) == 0
    assert slots.started("r", 1040, 10) == 2
    assert slots.started("r", 1040, 10) == 0
    assert slots.started("r", 1030, 10) == 0
    assert slots.started("another", 1100, 10) == 0


def test_a_slot_that_a_worker_spoke_of_is_not_counted_again():
    slots = Slots()
    slots.started("r", 1000, 10)
    slots.missed("r", 1)
    slots.missed("unknown", 1)

    assert slots.started("r", 1030, 10) == 1
    assert slots.started("r", 1040, 10) == 0


def test_a_run_out_of_turn_and_a_schedule_that_moves_miss_nothing():
    slots = Slots()

    assert [slots.started("r", second, 10) for second in (1000, 1004, 1010, 1021, 1030)] == [0] * 5


def test_after_a_changed_interval_nothing_is_known_of_the_gap():
    slots = Slots()
    slots.started("r", 1000, 300)

    assert slots.started("r", 1300, 60) == 0
    assert slots.started("r", 1480, 60) == 2


def test_what_is_kept_is_taken_up_again():
    slots, again = Slots(), Slots()
    slots.started("r", 1000, 10)
    slots.missed("r", 1)
    again.restore(slots.memos(["r", "r", "unknown"]))

    assert again.started("r", 1030, 10) == slots.started("r", 1030, 10) == 1
