"""One engine that is hurt in every way, one after the other, while it probes: nothing is sent twice, nothing is lost.

The tests of this file share one run, and stand in its order; the last one holds everything that was sent against what the
exporters say. Each server has a network namespace of its own where those may be made; elsewhere the servers reach each other
through ports of this process, which can be closed.
"""

import itertools
import signal
import time
from contextlib import ExitStack

import pytest

from tests.engine.cluster import Cluster
from tests.engine.namespaces import Namespaces, are_permitted
from tests.engine.scraping import Scraping
from tests.engine.site import Member, Receiver, Site, ended, have_ended, wait_until

pytestmark = pytest.mark.lab

INTERVAL = 15
"""Twice this is longer than servers that were cut off take to choose another leader, also on a busy machine."""
USERS = [f"user{number}" for number in range(6)]
ROUTES = {f"route{number:02}": {"user": USERS[number % 6], "interval": INTERVAL} for number in range(60)}


def route_of(mail):
    """What stands for the route in the name of a probe: the first thirty bits of its hash."""
    return mail["probe_id"][:6]


def slots_without_a_word(exporter):
    """By route, how many slots between its first and its last start were neither sent nor counted as missed."""
    seconds: dict[str, list[int]] = {}
    for row in ended(exporter).values():
        second = row["outcome"]["probe"]["scheduled_ns"] // 1_000_000_000
        seconds.setdefault(row["route"], []).append(second)
    passed = {route: (max(each) - min(each)) // INTERVAL + 1 - len(each) for route, each in seconds.items()}
    missed = {route: exporter.value("smtp_probe_schedule_missed_total", route=route) for route in seconds}
    return {route: (passed[route], missed[route]) for route in seconds if passed[route] != missed[route]}


class Run:
    """The site of this file with its processes by name."""

    prometheus: Scraping

    def __init__(self, site: Site) -> None:
        self.site = site
        self.numbers = itertools.count()
        self.faults: list[tuple[float, str]] = []
        site.configure(ROUTES)
        self.controller = site.start("controller", "controller")
        self.workers = [site.start("worker", f"worker{number}") for number in range(2)]
        self.watchers = [site.start("watcher", f"watcher{number}") for number in range(2)]
        self.exporters = [site.start("exporter", f"exporter{number}") for number in range(2)]

    def note(self, fault: str) -> None:
        """Note when a fault begins that holds no route up."""
        self.faults.append((time.time_ns() / 1e9, fault))

    def begin(self, fault: str) -> None:
        """Let all routes be sent on once after what was before, and note when the next fault begins."""
        since = time.time_ns() / 1e9
        wait_until(
            lambda: len({route_of(mail) for mail in self.site.mails() if mail["at"] > since}) == len(ROUTES),
            "a mail on every route",
            3 * INTERVAL,
        )
        self.faults.append((time.time_ns() / 1e9, fault))

    def wait_for_mails(self, count: int, seconds: float = 25.0) -> None:
        """Wait for so many further mails."""
        wanted = len(self.site.mails()) + count
        wait_until(lambda: len(self.site.mails()) >= wanted, f"{count} further mails", seconds)

    def replace(self, members: list[Member], index: int) -> None:
        """Start another process in the place of one that is gone."""
        gone = members[index]
        members[index] = self.site.start(gone.role, f"{gone.role}-again{next(self.numbers)}")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    work = tmp_path_factory.mktemp("engine")
    with (
        ExitStack() as stack,
        Cluster(
            work / "nats",
            namespaces=stack.enter_context(Namespaces(3)) if are_permitted() else None,
        ) as cluster,
        Receiver(work / "mx", USERS) as receiver,
        Site(cluster, receiver, work / "members", "faults") as site,
    ):
        made = Run(site)
        targets = [f"127.0.0.1:{each.port}" for each in made.exporters]
        made.prometheus = stack.enter_context(Scraping(work / "prometheus", targets))
        wait_until(
            lambda: all(each.is_ready() for each in (*made.workers, *made.watchers, *made.exporters)),
            "all",
            30,
        )
        made.wait_for_mails(10)
        yield made


def test_both_exporters_show_every_end(run):
    wait_until(lambda: all(each.outcomes()["delivered"] >= 10 for each in run.exporters), "ten deliveries")

    assert sum(each.value("smtp_probe_engine_mailbox_groups") for each in run.watchers) == 6
    assert run.exporters[0].value("smtp_probe_mailbox_up") == 6
    assert run.controller.value("smtp_probe_engine_schedules") == len(ROUTES)


def test_the_leader_of_the_runs_is_killed(run):
    run.begin("leader of the runs")
    node = run.site.cluster.leader_of("FAULTS_RUNS")
    node.kill()
    run.wait_for_mails(8)
    node.start()
    wait_until(node.is_ready, "the server to come back")


def test_the_leader_of_the_events_is_killed(run):
    run.begin("leader of the events")
    node = run.site.cluster.leader_of("FAULTS_EVENTS")
    node.kill()
    run.wait_for_mails(8)
    node.start()
    wait_until(node.is_ready, "the server to come back")


def test_a_worker_is_killed_between_the_dot_and_the_reply(run):
    run.note("workers")
    run.site.receiver.hold(True)
    before = len(run.site.mails())
    wait_until(lambda: len(run.site.mails()) >= before + 2, "two messages that wait for their reply")
    held = {mail["probe_id"] for mail in run.site.mails()[before:]}
    time.sleep(0.5)  # the instant of the dot is written down beside the waiting, a tenth of a second after it
    for worker in run.workers:
        worker.kill()
    run.site.receiver.hold(False)
    for index in range(2):
        run.replace(run.workers, index)
    wait_until(lambda: have_ended(run.exporters[0], held), "the ends of what was held", 20)

    rows = ended(run.exporters[0])
    assert {rows[probe_id]["kind"] for probe_id in held} == {"delivered"}
    submissions = [rows[probe_id]["submission"] for probe_id in held]
    assert all(each is None or each["disposition"] == "uncertain" for each in submissions)
    assert any(each is not None for each in submissions)
    assert sum(each.value("smtp_probe_engine_takeovers_total") for each in run.watchers) >= len(held)


def test_a_watcher_is_killed(run):
    run.watchers[0].kill()
    wait_until(lambda: run.watchers[1].value("smtp_probe_engine_mailbox_groups") == 6, "the takeover", 15)
    run.wait_for_mails(3)
    run.replace(run.watchers, 0)
    wait_until(
        lambda: run.watchers[0].is_ready() and run.watchers[0].value("smtp_probe_engine_mailbox_groups") == 3,
        "an even share",
        20,
    )


def test_an_exporter_is_killed(run):
    run.exporters[0].kill()
    run.wait_for_mails(3)
    assert run.exporters[1].value("smtp_probe_engine_up") == 1
    run.exporters[0].start()
    wait_until(run.exporters[0].is_ready, "the exporter", 20)


def test_the_controller_is_killed(run):
    run.controller.kill()
    run.wait_for_mails(4)
    run.controller.start()


def test_a_server_is_cut_off_from_the_others_and_not_from_its_clients(run):
    run.begin("partition")
    node = run.site.cluster.leader_of("FAULTS_EVENTS")
    run.site.cluster.cut_off(node)
    try:
        run.wait_for_mails(8, 40)
        members = (*run.workers, *run.watchers, *run.exporters)
        wait_until(
            lambda: all(each.value("smtp_probe_engine_up") == 1 for each in members),
            "all to go to the others",
            30,
        )
    finally:
        run.site.cluster.mend(node)
    wait_until(node.is_ready, "the server to come back", 30)


def test_a_frozen_worker_sends_nothing_twice(run):
    run.begin("frozen worker")
    run.workers[0].process.send_signal(signal.SIGSTOP)
    run.wait_for_mails(6)
    run.workers[0].process.send_signal(signal.SIGCONT)
    run.wait_for_mails(2)


def test_every_process_is_replaced_one_after_the_other(run):
    run.note("upgrade")
    for members in (run.workers, run.watchers, run.exporters):
        for member in members:
            code, seconds = member.terminate()
            assert code == 0
            assert seconds < 10
            member.start()
            wait_until(member.is_ready, f"{member.name} again", 20)


def test_in_the_end_everything_is_accounted_for(run):
    run.wait_for_mails(3)
    run.site.stop("worker")
    probes = run.site.verify(run.exporters)
    silences = run.site.silences(probes, run.faults)
    # What Prometheus has of two exporters is one truth, and no counter of a route has ever gone back.
    known = "job='smtp-probe',vantage='default'"
    once = f"sum(max without (instance) (smtp_probe_probes_total{{{known}}}))"
    run.prometheus.wait_for(once, len(probes))
    back = f"sum(resets(smtp_probe_probes_total{{{known}}}[10m]))"
    assert run.prometheus.value(back) == 0
    delivered = sum(row["kind"] == "delivered" for row in probes.values())
    run.prometheus.wait_for(
        f"sum(max without (instance) (smtp_probe_outcomes_total{{outcome='delivered',{known}}}))", delivered
    )
    assert delivered <= len(run.site.mails()) <= len(probes)
    print({"mails": len(run.site.mails()), **silences})
    for exporter in run.exporters:
        assert slots_without_a_word(exporter) == {}

    # The engine keeps whole seconds, and a busy machine is late.
    assert max(silences.values()) <= 2 * INTERVAL + 2
    for member in run.site.members:
        assert "Traceback" not in member.log.read_text(), member.log
