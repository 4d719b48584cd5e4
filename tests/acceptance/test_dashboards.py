"""Every query of every dashboard, as Grafana would ask it, on a real Prometheus that has scraped two real daemons.

One is well; the other has everything wrong that servers and settings can make wrong in half a minute. What neither of
them shows is listed with the reason.
"""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.acceptance.daemon import Daemon, account, free_port, route, write_config
from tests.grafana.boards import BOARDS, defaults, filled, label_values, targets, variables

pytestmark = [pytest.mark.lab, pytest.mark.slow]

RUN_SECONDS = 22.0
STEP_SECONDS = 1
MOST_LINES = 40
"""In one panel of one prober with seven routes: more than that nobody reads."""

EMPTY: dict[tuple[str, str], str] = {
    ("smtp-probe-route", "Spam score A"): "no filter of the lab writes a score into the header",
    ("smtp-probe-route", "Spam score B"): "as above",
    ("smtp-probe-dns", "Records that changed A"): "what is known holds for a minute, longer than the run",
    (
        "smtp-probe-prober",
        "Tokens of credentials A",
    ): "no sender and no mailbox of these runs logs in by a token",
    ("smtp-probe-prober", "Requests for tokens A"): "as above",
    ("smtp-probe-overview", "Broken from here, or everywhere? A"): (
        "these runs probe from one place; tests/grafana/test_from_where.py has two"
    ),
    ("smtp-probe-queue", "Put off, and came back, by why A"): (
        "a server tells of a delay later than these runs end; tests/acceptance/test_endings.py has one"
    ),
    ("smtp-probe-dns", "Block lists A"): "the lab has no block list that holds the test entries",
}
"""Queries (dashboard, title and refId) without data in either run, each with the reason."""


def well(lab, work):
    """Routes that flow, domains and queues that are in order, a drill that finds nothing."""
    queue = {
        "method": "showq",
        "path": str(lab.layout.path("relay", "queue", "public", "showq")),
        "interval": "500ms",
        "deadline": "500ms",
        "retry_command": ["postconf", "-c", str(lab.layout.path("relay", "conf")), "-x"],
    }
    domain = {
        "interval": "10s",
        "exchanger_interval": "10s",
        "private_addresses": True,
        "ca_file": str(lab.ca_file),
        "recipient": lab.mail_address("probe1"),
        "selectors": ["lab1"],
        "dnsbl": ["dnsbl.test"],
    }
    short = {"sender": "submit", "interval": "10s", "deadline": "9s"}
    first, second = ({"address": lab.layout.address(host), "port": 25} for host in ("drill1", "drill2"))
    drills = {
        "bounce": {"unknown-user": {**short, "recipient": lab.mail_address("nobody"), "mailbox": "probe1"}},
        "retry": {
            "retries": {
                **short, "recipient": "drill@retry.drill.test", "listen": first, "deferrals": 1,
                "minimum_first_retry": 0.5,
            }
        },
        "failover": {
            "second-mx": {
                **short, "recipient": "drill@failover.drill.test", "preferred": first, "fallback": second,
                "maximum_failover": 9,
            }
        },
    }  # fmt: skip
    return write_config(
        lab,
        work,
        {"quick": route(interval=1), "held": route("delayed", "probe1", interval=2)},
        resolver={"nameservers": [lab.dns.host], "port": lab.dns.port},
        domains={"example.test": domain},
        queues={"relay": queue},
        drills={"lab": True, **drills},
    )


def ill(lab, work, silent_port):
    """Mail that comes back, is doubled, junk, stuck or unseen; a name server that says nothing, a queue that is not there."""
    routes = {
        "unknown": route("nobody", "probe1", bounce_mailbox="probe1", interval=2),
        "double": route("dup", "probe1", interval=2),
        "junk": route("spam", "spam", interval=2),
        "stuck": route("tempfail", "probe1", interval=1, deadline=2),
        "unseen": route("probe3", "gone", interval=2, deadline=2, give_up_after=4),
        "put-off": route("postgrey", "probe1", plus_address=True, interval=2),
        "unreachable": {**route(interval=2), "sender": "closed"},
    }
    config = write_config(lab, work, routes, mailboxes={"spam": account(lab, "spam")})
    data = json.loads(config.read_text())
    data["mailboxes"]["gone"] = {**account(lab, "probe3"), "port": free_port()}
    data["senders"]["closed"] = {**data["senders"]["submit"], "port": free_port()}
    data["resolver"] = {"nameservers": ["127.0.0.1"], "port": silent_port, "timeout": 1, "lifetime": 2}
    look = {"interval": "10s", "exchanger_interval": "10s", "private_addresses": True}
    data["domains"] = {"example.test": look}
    data["queues"] = {
        "nowhere": {"method": "showq", "path": str(work / "none"), "interval": "500ms", "deadline": "500ms"}
    }
    data["drills"] = {
        "lab": True,
        "bounce": {
            "unknown-user": {
                "sender": "submit", "recipient": lab.mail_address("nobody"), "mailbox": "probe1",
                "interval": "10s", "deadline": "9s", "expected_status": ["4.9"],
            }
        },
    }  # fmt: skip
    config.write_text(json.dumps(data))
    return config


def legend(pattern: str, labels: dict[str, str]) -> str:
    """The name that Grafana gives to a line; what stays in braces has no label."""
    return re.sub(r"{{\s*(\w+)\s*}}", lambda found: labels.get(found[1], found[0]), pattern)


class Asked:
    """A Prometheus that has scraped both daemons, and how Grafana would ask it."""

    def __init__(self, prometheus, instances, begun) -> None:
        self.prometheus = prometheus
        self.instances = instances
        self.begun = begun
        self.ended = time.time()  # noqa: TID251 - the clock of Prometheus

    def fill(self, board, expr: str, instance: str) -> str:
        built_in = {"__rate_interval": "10s", "__range": "5m", "window": "5m", "instance": instance}
        text = filled(expr, {**defaults(board), **built_in})
        assert "$" not in text.replace('"$1"', "").replace("$1", ""), text
        return text

    def answers(self, board, expr: str, *, at_once: bool) -> bool:
        """Whether one of the two has data."""
        return any(self.found(board, expr, instance, at_once=at_once) for instance in self.instances)

    def found(self, board, expr: str, instance: str, *, at_once: bool) -> list[dict[str, str]]:
        """The labels of each series with a value that can be drawn, of one of the two."""
        text = self.fill(board, expr, instance)
        if at_once:
            found = self.prometheus.api("query", query=text, time=str(self.ended))["result"]
            return [each["metric"] for each in found if each["value"][1] != "NaN"]
        period = {"start": str(self.begun), "end": str(self.ended), "step": str(STEP_SECONDS)}
        found = self.prometheus.api("query_range", query=text, **period)["result"]
        return [each["metric"] for each in found if any(value != "NaN" for _, value in each["values"])]


@pytest.fixture(scope="module")
def asked(lab, tmp_path_factory) -> Iterator[Asked]:
    works = [tmp_path_factory.mktemp(name) for name in ("well", "ill")]
    for work in works:
        work.chmod(0o700)
    rules = works[0] / "rules.yml"
    alert = {
        "alert": "SmtpProbeTest",
        "expr": "smtp_probe_mailbox_up == 0",
        "labels": {"severity": "critical"},
    }
    rules.write_text(json.dumps({"groups": [{"name": "test", "rules": [alert]}]}))
    with (
        Daemon(well(lab, works[0]), "--web.enable-lifecycle") as healthy,
        ExitStack() as stack,
    ):
        silent = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        silent.bind(("127.0.0.1", 0))
        failing = Daemon(
            ill(lab, works[1], silent.getsockname()[1])
        ).start()  # never ready: it does not see one of its mailboxes
        stack.callback(failing.__exit__)
        addresses = [f"127.0.0.1:{daemon.port}" for daemon in (healthy, failing)]
        prometheus = lab.start_prometheus(addresses, [rules], ["--enable-feature=exemplar-storage"])
        prometheus.wait_for("count(up == 1) == 2")
        begun = time.time()  # noqa: TID251
        time.sleep(RUN_SECONDS / 2)
        healthy.hang_up()
        time.sleep(RUN_SECONDS / 2)
        yield Asked(prometheus, addresses, begun)


def test_every_query_of_every_panel_has_data(asked):
    empty = {
        (uid, f"{panel['title']} {target['refId']}")
        for uid, panel, target in targets()
        if not asked.answers(BOARDS[uid], target["expr"], at_once=target.get("instant", False))
    }

    assert sorted(empty - set(EMPTY)) == [], "without data: " + ", ".join(
        map(str, sorted(empty - set(EMPTY)))
    )


def test_every_legend_tells_its_lines_apart_and_there_are_not_too_many(asked):
    wrong = []
    for uid, panel, target in targets():
        if panel["type"] not in ("timeseries", "state-timeline", "bargauge"):
            continue
        for instance in asked.instances:
            lines = asked.found(BOARDS[uid], target["expr"], instance, at_once=target.get("instant", False))
            names = {legend(target["legendFormat"], labels) for labels in lines}
            if len(names) < len(lines) or len(lines) > MOST_LINES or any("{{" in name for name in names):
                wrong.append((uid, panel["title"], target["refId"], len(lines), sorted(names)[:4]))

    assert wrong == [], "\n".join(map(str, wrong))


def test_every_variable_has_values(asked):
    for board in BOARDS.values():
        for name, variable in variables(board).items():
            if variable["type"] == "query":
                selector, label = label_values(variable["query"]["query"])
                found = asked.prometheus.query(f"count by ({label}) ({asked.fill(board, selector, '.+')})")
                assert [each.labels.get(label) for each in found if each.labels.get(label)], name


def test_every_annotation_can_be_asked_and_reloads_and_alerts_are_there(asked):
    board = BOARDS["smtp-probe-overview"]
    shown = {
        each["name"]: asked.answers(board, each["expr"], at_once=False)
        for each in board["annotations"]["list"]
    }

    assert shown["Reloads"]
    assert shown["Firing alerts"]


def test_an_exemplar_leads_to_a_page_of_the_prober(asked):
    period = {"start": str(asked.begun), "end": str(asked.ended)}
    found = asked.prometheus.api(
        "query_exemplars", query="smtp_probe_delivery_duration_seconds_bucket", **period
    )

    assert all(each["labels"]["probe_id"] for series in found for each in series["exemplars"])
    assert found
