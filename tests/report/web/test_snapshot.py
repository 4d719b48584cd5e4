"""What a page is made of, copied while everything goes on."""

import pytest

from smtp_probe.model import OutcomeKind
from smtp_probe.report.history import State
from smtp_probe.report.web.checked import Checks
from smtp_probe.report.web.overview import view_overview
from smtp_probe.report.web.snapshot import Filter, take_snapshot
from tests.report.samples import (
    NS,
    START_NS,
    life_of,
    make_config,
    make_outcome,
    make_probe,
    make_telemetry,
    tell,
)

pytestmark = pytest.mark.slow


def test_what_happens_later_is_not_in_it():
    """It is read in a thread, while the event loop learns of more."""
    config = make_config()
    telemetry = make_telemetry(config)
    tell(telemetry, *life_of(make_outcome()))
    snapshot = take_snapshot(telemetry, config, Checks(), Filter())
    before = view_overview(snapshot)
    later = make_outcome(OutcomeKind.REFUSED, probe=make_probe(2, created_ns=START_NS + NS))
    tell(telemetry, *life_of(later))
    telemetry.observations.in_flight("example", 3, START_NS)

    assert view_overview(snapshot) == before
    assert before.rows[0].view.state is State.GOOD
    assert view_overview(take_snapshot(telemetry, config, Checks(), Filter())) != before


def test_which_part_is_shown_and_whether_it_is_the_present_is_told():
    config = make_config()
    telemetry = make_telemetry(config)
    whole = take_snapshot(telemetry, config, Checks(), Filter()).observer
    telemetry.observations.shard(1, 3)
    telemetry.observations.events_to_count = 5
    part = take_snapshot(telemetry, config, Checks(), Filter()).observer

    assert (whole.shard, whole.is_caught_up) == (None, True)
    assert (part.shard, part.is_caught_up, part.is_ready) == ("1/3", False, False)
