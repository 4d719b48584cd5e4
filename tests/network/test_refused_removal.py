"""That messages stay is said, and not again and again."""

import logging

from smtp_probe.network.refused_removal import RefusedRemovals


def test_each_reason_is_told_once(caplog):
    removals = RefusedRemovals("inbox")
    with caplog.at_level(logging.WARNING):
        for reason in ("read-only", "read-only", "no trash", "read-only"):
            removals.tell(reason)

    assert [record.getMessage() for record in caplog.records] == [
        "judged messages stay in the mailbox: read-only",
        "judged messages stay in the mailbox: no trash",
    ]
    assert {record.__dict__["mailbox"] for record in caplog.records} == {"inbox"}
