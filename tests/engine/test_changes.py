"""A changed configuration, several places, a worker that is slow, and a bound that several workers keep: on one server, with real processes."""

import asyncio
import json
import signal
import time
from functools import partial
from itertools import pairwise

import pytest

from smtp_probe.config.engine import Engine
from smtp_probe.network.jetstream.connection import JetStream
from tests.engine.cluster import Cluster
from tests.engine.site import Receiver, Site, change_config, ended, have_ended, wait_until

pytestmark = pytest.mark.lab

STEADY = {f"steady{number}": {"user": "user0", "interval": 3} for number in range(4)}
MANY = {f"added{number:04}": {"user": "user1", "interval": 300} for number in range(1000)}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    work = tmp_path_factory.mktemp("changes")
    with Cluster(work / "nats", 1) as cluster, Receiver(work / "mx", ["user0", "user1"]) as receiver:
        yield cluster, receiver


def schedules(cluster, namespace):
    """How many schedules and runs stand in the engine."""

    async def ask():
        settings = Engine(servers=tuple(cluster.urls), namespace=namespace)
        stream = JetStream(settings, lambda: "", "test")
        await stream.connect()
        question = {"subjects_filter": f"{namespace}.schedule.>"}
        answer = await stream.request(f"STREAM.INFO.{stream.names.runs}", question)
        await stream.close()
        return len(answer["state"].get("subjects") or {})

    return asyncio.run(ask())


def reload(members):
    """Have all of them take the configuration over, at once."""
    name = "smtp_probe_config_last_reload_success_timestamp_seconds"
    before = [member.value(name) for member in members]
    for member in members:
        member.take_config()
        member.hang_up()
    wait_until(
        lambda: all(member.value(name) > old for member, old in zip(members, before, strict=True)),
        "the reload",
    )


def remove_many(config):
    for name in MANY:
        del config["routes"][name]


def has_delivered(exporter, vantage):
    return exporter.value("smtp_probe_outcomes_total", outcome="delivered", vantage=vantage) >= 4


def test_a_thousand_routes_come_and_go_while_the_others_are_sent_on(place, tmp_path):
    cluster, receiver = place
    with Site(cluster, receiver, tmp_path / "m", "thousand") as site:
        site.configure(STEADY)
        members = [site.start(role, role) for role in ("controller", "worker", "watcher", "exporter")]
        exporter = members[-1]
        wait_until(lambda: exporter.is_ready() and len(site.mails()) >= 4, "mail", 40)

        routes = json.loads(site.config.read_text())["routes"]
        added = {
            name: {
                **routes["steady0"],
                "mailbox": "user1",
                "recipient": "user1@example.test",
                "interval": 300,
            }
            for name in MANY
        }
        change_config(site.config, lambda config: config["routes"].update(added))
        change_config(
            site.config,
            lambda config: config["mailboxes"].update(
                user1={
                    **config["mailboxes"]["user0"],
                    "auth": {**config["mailboxes"]["user0"]["auth"], "username": "user1"},
                }
            ),
        )
        reload(members)
        wait_until(lambda: schedules(cluster, "thousand") == 1004, "a thousand further schedules", 30)
        wait_until(
            lambda: sum(mail["to"].startswith("user1") for mail in site.mails()) >= 3,
            "mail of the new ones",
            30,
        )

        change_config(site.config, remove_many)
        reload(members)
        wait_until(lambda: schedules(cluster, "thousand") == 4, "their end", 30)
        rest = len(site.mails())
        wait_until(lambda: len(site.mails()) >= rest + 8, "mail of the steady ones", 20)
        assert [mail["to"] for mail in site.mails()[rest + 4 :] if mail["to"].startswith("user1")] == []

        site.stop("worker")
        wait_until(lambda: have_ended(exporter, {mail["probe_id"] for mail in site.mails()}), "all ends", 30)
        rows = ended(exporter)
        assert {row["kind"] for row in rows.values()} == {"delivered"}
        assert max(receiver.counts().values()) == 1
        steady = {key: row for key, row in rows.items() if row["route"].startswith("steady")}
        times: dict[str, list[float]] = {}
        for mail in site.mails():
            if mail["probe_id"] in steady:
                times.setdefault(steady[mail["probe_id"]]["route"], []).append(mail["at"])
        gaps = [later - earlier for each in times.values() for earlier, later in pairwise(each)]
        assert max(gaps) <= 2 * 3 + 1


def test_a_route_is_sent_from_each_place_and_a_slow_worker_holds_nobody_up(place, tmp_path):
    cluster, receiver = place
    with Site(cluster, receiver, tmp_path / "m", "places") as site:
        site.configure(STEADY, vantages=["fra", "nyc"], vantage="fra")
        site.start("all", "fra")
        worker = site.start("worker", "worker-nyc", vantage="nyc")
        exporters = {"fra": site.members[0], "nyc": site.start("exporter", "exporter-nyc", vantage="nyc")}
        for vantage, exporter in exporters.items():
            wait_until(exporter.is_ready, vantage, 30)
            wait_until(partial(has_delivered, exporter, vantage), f"deliveries from {vantage}")
        assert exporters["fra"].value("smtp_probe_probes_total", vantage="nyc") == 0
        ids = [set(ended(exporter)) for exporter in exporters.values()]
        assert not ids[0] & ids[1]

        worker.process.send_signal(signal.SIGSTOP)  # as slow as one can be
        another = site.start("worker", "another-nyc", vantage="nyc")
        before = exporters["nyc"].outcomes()["delivered"]
        wait_until(lambda: exporters["nyc"].outcomes()["delivered"] >= before + 8, "the other goes on", 30)
        worker.process.send_signal(signal.SIGCONT)
        wait_until(another.is_ready, "the other")
        site.stop("worker")
        site.stop("all")
        assert max(receiver.counts().values()) == 1


def test_all_workers_together_keep_to_the_bound_of_a_route(place, tmp_path):
    cluster, receiver = place
    stuck = {"user": "user0", "recipient": "user1@example.test", "interval": 1, "max_in_flight": 2}
    with Site(cluster, receiver, tmp_path / "m", "bound") as site:
        site.configure(
            {"stuck": stuck, **STEADY}
        )  # what goes to the other mailbox is not found in the one that is watched
        site.start("controller", "controller")
        for number in range(2):
            site.start("worker", f"worker{number}")
        watchers = [site.start("watcher", f"watcher{number}") for number in range(2)]
        exporter = site.start("exporter", "exporter")

        def missed():
            return exporter.value("smtp_probe_schedule_missed_total", route="stuck")

        def sent():
            return sum(mail["to"].startswith("user1") for mail in site.mails())

        wait_until(lambda: exporter.is_ready() and sent() == 2 and missed() >= 3, "slots that are missed", 40)
        holder = next(each for each in watchers if each.value("smtp_probe_engine_mailbox_groups"))
        holder.kill()
        before = missed()
        wait_until(lambda: missed() >= before + 6, "slots that are missed after a takeover", 30)

        assert sent() == 2


def sent_within(site, seconds):
    """How many mails are sent within so many seconds from now on."""
    before = len(site.mails())
    time.sleep(seconds)
    return len(site.mails()) - before


def is_within_budget(mails):
    """Whether no more was sent than one worker alone may: 30 at once, and two a second."""
    return len(mails) <= 30 + 2 * (mails[-1]["at"] - mails[0]["at"]) + 1


def test_two_workers_share_a_budget_and_one_that_is_left_has_all_of_it(place, tmp_path):
    """120 a minute of an endpoint, where 480 come, as from a controller with another configuration; a quarter of a
    minute's worth may go at once."""
    cluster, receiver = place
    routes = {f"r{number}": {"user": "user0", "interval": 4, "max_in_flight": 50} for number in range(8)}

    def bound(config):
        config["senders"]["lab"]["max_per_minute"] = 120

    def ask_for_more(config):
        config["senders"]["lab"]["max_per_minute"] = config["schedule"]["max_per_minute"] = 60_000
        for route in config["routes"].values():
            route["interval"] = 1

    with Site(cluster, receiver, tmp_path / "m", "budget") as site:
        site.configure(routes)
        change_config(site.config, bound)
        workers = [site.start("worker", f"worker{number}") for number in range(2)]
        site.start("watcher", "watcher")
        change_config(site.config, ask_for_more)
        site.start("controller", "controller")
        began = len(site.mails())
        wait_until(lambda: len(site.mails()) >= began + 4, "mail", 30)
        wait_until(lambda: sent_within(site, 1.5) <= 4, "the end of what may go at once", 20)
        sent_within(site, 3)
        assert is_within_budget(site.mails())
        workers[0].kill()
        # With its old share it would never send more than six; it has all when the other is taken for dead.
        wait_until(lambda: sent_within(site, 6) >= 9, "the share of the one that is gone", 40)
        assert is_within_budget(site.mails())
