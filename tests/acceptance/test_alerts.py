"""The shipped rules for real: five faults on a real mail path, told by Prometheus and Alertmanager to a webhook."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.acceptance.daemon import Daemon, route, write_config
from tests.acceptance.quickened import quickened_routes, quickened_rules
from tests.acceptance.webhook import webhook
from tests.lab.exim import start_exim

SHIPPED = Path(__file__).parents[2] / "deploy" / "prometheus"

pytestmark = pytest.mark.lab


FAULTS = {
    "SmtpProbeMailBounced": {"route": "bounced", "category": "no_such_user"},
    "SmtpProbeRouteDown": {"route": "bounced"},
    "SmtpProbeExchangerDown": {"domain": "dead-mx.test", "host": "exim.dead-mx.test"},
    "SmtpProbeBlockListed": {"domain": "dead-mx.test", "zone": "dnsbl.test"},
    "SmtpProbeFindingError": {"domain": "dead-mx.test"},
    "SmtpProbeHopSlow": {"by": "mx1.example.test"},
    "SmtpProbeLegSlow": {"route": "slow", "leg": "inbound"},
    "SmtpProbeDeliverySlow": {"route": "slow"},
}
"""What has to fire, and what it has to name."""
IMPLIED = {"SmtpProbeErrorBudgetBurnFast", "SmtpProbeErrorBudgetBurn", "SmtpProbeErrorBudgetBurnSlow"}
"""Fire as well, and are held back while the route is down. They look back for hours: they go some time after it is up."""
MENDED = set(FAULTS) - {"SmtpProbeBlockListed", "SmtpProbeFindingError"}
WATCHDOG = "SmtpProbeWatchdog"


def configure(lab, work):
    domain = {
        "interval": "10s",
        "exchanger_interval": "10s",
        "private_addresses": True,
        "ca_file": str(lab.ca_file),
        "egress": [lab.layout.address("relay")],
        "dnsbl": ["dnsbl.test"],
    }
    return write_config(
        lab,
        work,
        {
            "slow": route("delayed", "probe1", interval=1),
            "bounced": route("nobody", "probe1", bounce_mailbox="probe1", interval=1),
        },
        resolver={"nameservers": [lab.dns.host], "port": lab.dns.port},
        domains={"dead-mx.test": domain},
    )


def mend_the_recipient(daemon):
    """What bounced goes to somebody who exists, from the next probe on."""
    config = json.loads(daemon.config.read_text())
    config["routes"]["bounced"]["recipient"] = "probe1@example.test"
    daemon.config.write_text(json.dumps(config))
    daemon.hang_up()


def unlist(lab):
    """The block list has nobody any more but its test entry."""
    zone = lab.layout.path("dns", "dnsbl.test.zone")
    test_entry = "2.0.0.127 "
    kept = [
        line
        for line in zone.read_text().splitlines()
        if line.startswith(test_entry) or "127.0.0.2" not in line
    ]
    zone.write_text("\n".join([*kept, ""]))
    lab.stop_part("dns")
    lab.start_part("dns")


def wait_for(wanted, found, seconds):
    """Wait until all that is wanted is found; say what is missing."""
    give_up = time.monotonic() + seconds
    while missing := wanted - found():
        assert time.monotonic() < give_up, f"missing after {seconds} s: {missing}; there are {found()}"
        time.sleep(0.2)


def firing(prometheus):
    return {sample.labels["alertname"] for sample in prometheus.query('ALERTS{alertstate="firing"}')}


def test_each_fault_fires_its_alert_and_no_other_and_each_goes_when_it_is_mended(lab, work):
    lab.set_delay(0)
    with (
        webhook() as hook,
        Daemon(configure(lab, work)) as daemon,
    ):
        alertmanager = lab.start_alertmanager(quickened_routes(SHIPPED / "alertmanager.yml", hook.url))
        prometheus = lab.start_prometheus(
            [f"127.0.0.1:{daemon.port}"],
            quickened_rules(SHIPPED / "rules", work),
            flags=["--rules.alert.resend-delay=2s"],  # what fires before Alertmanager is found is sent again
            alertmanagers=[alertmanager],
        )

        # A bounce, a dead exchanger and a listed address are there from the start. Slow is only what was quicker before.
        prometheus.wait_for('by:smtp_probe_hop_duration_seconds:mean1h:high{by="mx1.example.test"}', 60)
        prometheus.wait_for('route:smtp_probe_delivery_duration_seconds:p50_1h:high{route="slow"}', 60)
        time.sleep(2)  # more than a single sample of what is usual
        assert not firing(prometheus) & {"SmtpProbeHopSlow", "SmtpProbeLegSlow", "SmtpProbeDeliverySlow"}
        lab.set_delay(4)
        told = set(FAULTS) - {"SmtpProbeDeliverySlow"}  # held back by that of the leg, most of the time
        wait_for({*FAULTS, *IMPLIED, WATCHDOG}, lambda: firing(prometheus), 40)
        assert firing(prometheus) == {*FAULTS, *IMPLIED, WATCHDOG}
        wait_for(told | {WATCHDOG}, lambda: hook.alerts("firing"), 10)
        assert hook.alerts("firing") <= {*FAULTS, WATCHDOG}
        assert hook.alerts("resolved") == set()
        for alert in told:
            assert all(FAULTS[alert].items() <= labels.items() for labels in hook.labels(alert)), alert
        assert hook.receivers("SmtpProbeRouteDown") == {"/smtp-probe"}
        assert hook.receivers("SmtpProbeMailBounced") == {"/smtp-probe-tickets"}
        assert hook.receivers(WATCHDOG) == {"/smtp-probe"}

        # Mended while the prober looks on.
        lab.set_delay(0)
        start_exim(lab)
        mend_the_recipient(daemon)
        wait_for(MENDED - {"SmtpProbeDeliverySlow"}, lambda: hook.alerts("resolved"), 40)
        assert not firing(prometheus) & MENDED

        # Nobody looks any more: that is told, and nothing else is.
        before = len(hook.told)
        daemon.kill()
        unlist(lab)
        wait_for({"SmtpProbeAbsent"}, lambda: hook.alerts("firing"), 20)
        assert firing(prometheus) - IMPLIED == {"SmtpProbeAbsent", WATCHDOG}
        news = {labels["alertname"] for _, status, labels in hook.told[before:] if status == "firing"}
        assert news - IMPLIED <= {
            "SmtpProbeAbsent",
            "SmtpProbeBlockListed",
            "SmtpProbeFindingError",
            WATCHDOG,
        }

        # It is back, and finds all well.
        daemon.start()
        wait_for({"SmtpProbeAbsent"}, lambda: hook.alerts("resolved"), 30)
        listed = 'smtp_probe_dnsbl_listed{zone="dnsbl.test"}'
        prometheus.wait_for(listed, 30)
        time.sleep(4)  # longer than any alert waits, but for those of hours
        assert firing(prometheus) - IMPLIED == {WATCHDOG}, prometheus.query("smtp_probe_finding")
        assert [sample.value for sample in prometheus.query(listed)] == [0]
