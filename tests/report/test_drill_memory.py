"""Reports of drills come back as they were, and a damaged file is no reason not to start."""

import pytest

from smtp_probe.model import (
    Desk,
    DrillAttempt,
    DrillKind,
    DrillReport,
    DrillTrial,
    Finding,
    Reply,
    Severity,
)
from smtp_probe.report.drill_memory import NAME, DrillMemory

RETRY = DrillReport(
    drill="retries",
    kind=DrillKind.RETRY,
    started_ns=1_790_000_000_123_456_789,
    duration_seconds=900.25,
    findings=(Finding(check="drill_retry_too_soon", severity=Severity.WARNING, message="Zu früh."),),
    facts={"waits": "1 minute"},
    attempts=(DrillAttempt(at_ns=5, desk=Desk.FALLBACK, peer="192.0.2.1"),),
)
REJECTION = DrillReport(
    drill="closed",
    kind=DrillKind.REJECTION,
    started_ns=7,
    duration_seconds=0.5,
    unobserved=("No.",),
    trials=(DrillTrial(check="relay", step="RCPT", reply=Reply(code=554, enhanced="5.7.1", text="No")),),
    failover_seconds=None,
)


def test_what_was_written_is_read_whole(tmp_path):
    DrillMemory(tmp_path).write([RETRY, REJECTION])

    assert DrillMemory(tmp_path).read() == (RETRY, REJECTION)
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_the_last_write_counts(tmp_path):
    memory = DrillMemory(tmp_path)
    memory.write([RETRY])
    memory.write([REJECTION])
    assert memory.read() == (REJECTION,)


def test_where_there_is_no_file_there_is_nothing_to_say(tmp_path, caplog):
    assert DrillMemory(tmp_path).read() == ()
    assert caplog.text == ""


@pytest.mark.parametrize("content", [b"", b"{", b'[{"drill": 1}]', b"\xff", b"[" * 100_000, b" " * 5_000_000])
def test_a_damaged_file_is_told_and_left_out(tmp_path, caplog, content):
    (tmp_path / NAME).write_bytes(content)
    assert DrillMemory(tmp_path).read() == ()
    assert "left out" in caplog.text


def test_a_directory_that_is_gone_ends_nothing(tmp_path, caplog):
    DrillMemory(tmp_path / "gone").write([RETRY])
    assert "the results of drills are not kept" in caplog.text
