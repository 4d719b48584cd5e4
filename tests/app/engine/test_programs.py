"""A watcher's program knows what is its own, which comes and goes while the configuration stays."""

from types import SimpleNamespace

import pytest

from smtp_probe.app.engine.programs import WatcherProgram
from smtp_probe.mail.tag import TagKey, hash_route
from smtp_probe.probes.watcher import MailboxWatcher
from smtp_probe.report.metrics import CONFIG_LOADED, MAILBOX_UP
from smtp_probe.report.telemetry import Telemetry
from tests.report.samples import make_config

MAILBOXES = [f"box{number}" for number in range(5)]


def make_routes():
    config = make_config()
    route, mailbox = next(iter(config.routes.values())), next(iter(config.mailboxes.values()))
    routes = {
        f"r{number}": route.model_copy(
            update={
                "mailbox": MAILBOXES[number % 3],
                "bounce_mailbox": "box3" if number % 3 == 0 else None,
                "authentication": True,
            }
        )
        for number in range(30)
    }
    return config.model_copy(
        update={"routes": routes, "mailboxes": {name: mailbox.model_copy() for name in MAILBOXES}}
    )


@pytest.fixture
async def program():
    clock = iter(range(1, 10**9))
    telemetry = Telemetry(lambda: next(clock), None)
    journal = SimpleNamespace()
    made = WatcherProgram(make_routes(), [TagKey(b"x" * 32)], journal, [], telemetry)  # type: ignore[arg-type]
    made.configure(make_routes())
    yield made
    await made.watchers.close()
    await made.close()


def known(program):
    return {identity.name for identity in program.arrivals.routes.values()}


def up(program):
    return {labels[0] for labels, _ in program.telemetry.series.all(MAILBOX_UP)}


async def test_only_what_is_ours_is_known_and_watched(program):
    assert known(program) == set()
    assert program.watchers.states() == {}
    program.watch(frozenset({"box0", "box3", "box4"}))

    ours = {f"r{number}" for number in range(0, 30, 3)}
    assert known(program) == ours == set(program.path_reader.routes) == set(program.verdicts.terms)
    assert program.arrivals.routes[hash_route("r3")].name == "r3"
    assert program.watchers.states().keys() == {"box0", "box3"}  # no route uses the last one
    assert up(program) == {"box0", "box3"}
    assert [each.name for each in program.telemetry.observations.health().mailboxes] == ["box0", "box3"]

    program.watch(frozenset({"box1"}))

    assert known(program) == {f"r{number}" for number in range(1, 30, 3)}
    assert program.watchers.states().keys() == {"box1"}
    assert [each.name for each in program.telemetry.observations.health().mailboxes] == ["box1"]


async def test_what_is_ours_stays_through_a_changed_configuration(program):
    program.watch(frozenset({"box0", "box3"}))
    before = program.watchers.states()
    changed = make_routes()
    del changed.routes["r0"]
    program.configure(changed)

    assert known(program) == {f"r{number}" for number in range(3, 30, 3)}
    assert program.watchers.states() == before


async def test_to_win_a_mailbox_is_no_loading_of_the_configuration(program):
    loaded = program.telemetry.series.get(CONFIG_LOADED, ())
    plans = [program._plan(name, program.config.mailboxes[name]) for name in MAILBOXES]
    program.watch(frozenset(MAILBOXES))

    assert program.telemetry.series.get(CONFIG_LOADED, ()) == loaded
    again = [program._plan(name, program.config.mailboxes[name]) for name in MAILBOXES]
    assert all(one is other for one, other in zip(plans, again, strict=True))


async def test_a_mailbox_that_was_kept_for_its_probes_is_up_when_it_is_ours_again(program, monkeypatch):
    program.watch(frozenset({"box1"}))
    watcher, view = program.watchers.state("box1"), program.watchers.views()["box1"]
    program.watchers._still_needed = lambda: {("box1", view.account)}
    program.watch(frozenset())
    assert program.watchers.state("box1") is None
    monkeypatch.setattr(MailboxWatcher, "is_up", property(lambda _: True))
    program.watch(frozenset({"box1"}))

    assert program.watchers.state("box1") is watcher
    assert program.telemetry.observations.health().unwatched == ()
