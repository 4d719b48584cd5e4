"""Two shards on one mailbox: each sends, finds and deletes only what is its own."""

import json
from functools import partial

import pytest

from smtp_probe.app.shard import find_shard
from tests.acceptance.daemon import Daemon, route, write_config

pytestmark = pytest.mark.lab

NAMES = ("daily", "inbound", "outbound", "relay", "hourly")


def has_delivered(daemon, names):
    return all(
        daemon.value("smtp_probe_outcomes_total", route=name, outcome="delivered") >= 3 for name in names
    )


def is_at_rest(daemon):
    return not daemon.in_flight()


@pytest.mark.parametrize("is_key_shared", [True, False], ids=["one key", "a key each"])
def test_two_shards_share_a_mailbox_and_leave_each_others_messages_alone(lab, work, is_key_shared):
    shared = work / "shared.key"
    shared.write_text("0123456789abcdef" * 4)
    shared.chmod(0o600)
    daemons, owned = [], []
    for index in range(2):
        place = work / str(index)
        place.mkdir(mode=0o700)
        routes = {name: route(interval=0.5) for name in NAMES}
        config = write_config(lab, place, routes)
        if is_key_shared:
            config.write_text(json.dumps(json.loads(config.read_text()) | {"tag_key_files": [str(shared)]}))
        daemons.append(Daemon(config, f"--shard={index}/2"))
        owned.append({name for name in NAMES if find_shard(name, 2) == index})
    assert all(owned)

    with daemons[0] as one, daemons[1] as two:
        for daemon, names in zip((one, two), owned, strict=True):
            daemon.wait_until(partial(has_delivered, daemon, names), "three deliveries a route", 40)
        for daemon in (one, two):
            daemon.rest()
        for daemon in (one, two):
            daemon.wait_until(partial(is_at_rest, daemon), "the end of all probes", 40)
        for daemon, names, index in zip((one, two), owned, (0, 1), strict=True):
            journal = daemon.journal()
            assert {row["route"] for row in journal} == names
            assert {row["kind"] for row in journal} == {"delivered"}
            assert daemon.value("smtp_probe_shard_info", shard=str(index), shards="2") == 1
            assert f"shard={index}/2" in daemon.log.read_text()
            assert f"Shard: {index}/2" in daemon.get("/")[1]
            for metric in ("stray", "forged", "duplicate"):
                assert daemon.value(f"smtp_probe_{metric}_messages_total") == 0
        one.wait_until(lambda: not list(lab.maildir("probe2").glob("???/*,*")), "an empty mailbox", 20)
