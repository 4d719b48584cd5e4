"""The rejection drill against a strict Exim: mail after a login over TLS only, and under the own name only."""

import pytest

from tests.acceptance.daemon import route, write_config
from tests.acceptance.test_drills import EVERY_CHECK, drills, found, run
from tests.lab.exim import start_exim

pytestmark = pytest.mark.lab


def test_exim_refuses_what_must_be_refused(lab, work):
    exim = start_exim(lab, is_strict=True)
    sender = {
        "host": exim.address,
        "port": exim.port,
        "tls": "starttls",
        "tls_options": {"ca_file": str(lab.ca_file)},
        "auth": {"username": "probe1", "password_file": str(lab.password_file("probe1"))},
        "ehlo_name": "prober.example.test",
        "envelope_from": "probe1@example.test",
    }
    drill = {
        "sender": "exim",
        "checks": list(EVERY_CHECK),
        "recipient": "probe2@example.test",
        "forged_address": "probe2@example.test",
    }
    config = write_config(
        lab,
        work,
        {"daily": route(interval=60)},
        senders={"exim": sender},
        drills=drills(lab, rejection={"refused": drill}),
    )
    report = run(config, "refused")

    assert (found(report), report.unobserved) == ([], ())
    codes = {trial.check: trial.reply.code for trial in report.trials if trial.reply is not None}
    assert list(codes) == list(EVERY_CHECK)
    assert codes == dict.fromkeys(EVERY_CHECK, 550) | {
        "wrong_auth": 535,
        "auth_before_tls": 503,
        "oversized": 552,
    }
