"""The adapter against real programs, sockets and files: whole or an error, within the deadline, nothing left behind."""

import asyncio
import json
import os
import subprocess
import sys
import time

import pytest

from smtp_probe.config.queues import Queue
from smtp_probe.errors import QueueError
from smtp_probe.model import QueueFailure, QueueState
from smtp_probe.network.queue import LocalQueue
from tests.mail.queue_listing.test_exim_spool import HEADER, LOG
from tests.mail.queue_listing.test_postqueue_json import LINE
from tests.mail.queue_listing.test_showq import END, ENTRY, GREETING

IS_FULL = os.environ.get("SMTP_PROBE_FAULTS") == "full"


def program(code, deadline="5s", **settings):
    return Queue.model_validate(
        {"command": [sys.executable, "-c", code], "deadline": deadline, "interval": "60s", **settings}
    )


async def read(settings):
    entries = []
    await LocalQueue(settings).read(entries.append)
    return entries


async def failure_of(settings):
    with pytest.raises(QueueError) as caught:
        await read(settings)
    return caught.value


async def test_the_entries_of_a_program():
    entries = await read(program(f"import sys; sys.stdout.buffer.write({LINE!r} * 300)"))

    assert [entry.queue_id for entry in entries] == ["4jbjZ06lcfzJBc2"] * 300


async def test_a_program_that_fails_is_told_with_its_own_words():
    error = await failure_of(program("import sys; print('junk'); sys.exit('mail system is \\x1b[1mdown')"))

    assert error.failure is QueueFailure.FAILED
    assert "ended with 1: mail system is" in error.detail
    assert "\x1b" not in error.detail


async def test_a_program_that_says_something_else_is_no_empty_queue():
    error = await failure_of(program("print('Mail queue is empty')"))

    assert error.failure is QueueFailure.MALFORMED


async def test_a_program_that_does_not_exist():
    error = await failure_of(Queue(command=("/no/such/postqueue",)))

    assert error.failure is QueueFailure.MISSING
    assert "/no/such/postqueue" in error.detail


@pytest.mark.slow
async def test_a_slow_program_is_killed_with_what_it_started(tmp_path):
    pid_file = tmp_path / "pid"
    code = (
        "import subprocess, time, pathlib;"
        "child = subprocess.Popen(['sleep', '60']);"
        f"pathlib.Path({str(pid_file)!r}).write_text(str(child.pid)); time.sleep(60)"
    )
    began = time.monotonic()
    error = await failure_of(program(code, deadline="1s"))

    assert error.failure is QueueFailure.TIMEOUT
    assert time.monotonic() - began < 5
    child = int(pid_file.read_text())
    async with asyncio.timeout(5):
        while _runs(child):
            await asyncio.sleep(0.02)


def _runs(pid):
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True
    ).stdout.strip()
    return bool(state) and not state.startswith("Z")


async def test_a_program_that_floods_its_stderr_does_not_hang():
    error = await failure_of(program("import sys; sys.stderr.write('x' * 1_000_000); sys.exit(3)"))

    assert error.failure is QueueFailure.FAILED
    assert len(error.detail) < 400


async def test_a_socket_of_showq(tmp_path):
    async def serve(reader, writer):
        writer.write(GREETING + ENTRY * 3 + END)
        await writer.drain()
        writer.close()

    path = tmp_path / "showq"
    async with await asyncio.start_unix_server(serve, path):
        entries = await read(Queue.model_validate({"method": "showq", "path": str(path)}))

    assert len(entries) == 3


async def test_a_silent_socket_is_given_up(tmp_path):
    async def serve(reader, writer):
        await reader.read()
        writer.close()

    path = tmp_path / "showq"
    async with await asyncio.start_unix_server(serve, path):
        settings = Queue.model_validate({"method": "showq", "path": str(path), "deadline": "200ms"})
        error = await failure_of(settings)

    assert error.failure is QueueFailure.TIMEOUT


async def test_a_socket_that_is_not_there_and_one_that_nobody_serves(tmp_path):
    settings = Queue.model_validate({"method": "showq", "path": str(tmp_path / "showq")})
    assert (await failure_of(settings)).failure is QueueFailure.MISSING

    async with await asyncio.start_unix_server(lambda *_: None, tmp_path / "showq"):
        pass
    if (tmp_path / "showq").exists():
        assert (await failure_of(settings)).failure is QueueFailure.FAILED


def put(spool, message_id, folder="input", log=LOG):
    place = spool / folder
    place.mkdir(parents=True, exist_ok=True)
    (spool / "msglog").mkdir(exist_ok=True)
    text = HEADER.replace("1rABCd-000001-2A", message_id).replace(
        "OPTIONS\nTREE\nRECIPIENTS", "XX\n1\na@example.org"
    )
    (place / f"{message_id}-H").write_text(text)
    (place / f"{message_id}-D").write_bytes(b"x" * 500)
    (spool / "msglog" / message_id).write_bytes(log)


async def test_a_spool_split_or_not(tmp_path):
    for number in range(450):
        put(tmp_path, f"1rABCd-{number:06}-2A", "input" if number % 2 else "input/d")
    (tmp_path / "input" / "1rABCd-000000-2A-J").write_text("a journal")
    entries = await read(Queue.model_validate({"kind": "exim", "method": "spool", "path": str(tmp_path)}))

    assert len({entry.queue_id for entry in entries}) == 450
    assert {entry.state for entry in entries} == {QueueState.DEFERRED}
    assert entries[0].recipients[0].reason.startswith("SMTP error")
    assert entries[0].size_bytes == 500


async def test_a_message_that_leaves_meanwhile_is_left_out(tmp_path):
    put(tmp_path, "1rABCd-000001-2A")
    put(tmp_path, "1rABCd-000002-2A")
    (tmp_path / "input" / "1rABCd-000002-2A-D").unlink()

    entries = await read(Queue.model_validate({"kind": "exim", "method": "spool", "path": str(tmp_path)}))
    assert [entry.queue_id for entry in entries] == ["1rABCd-000001-2A"]


async def test_a_spool_that_is_not_there_is_no_empty_queue(tmp_path):
    error = await failure_of(Queue.model_validate({"kind": "exim", "method": "spool", "path": str(tmp_path)}))

    assert error.failure is QueueFailure.MISSING


@pytest.mark.slow
def test_a_spool_that_may_not_be_read_is_told_as_such(tmp_path):
    (tmp_path / "input").mkdir(mode=0o000)
    code = (
        "import asyncio, concurrent.futures.thread, os\n"
        "from smtp_probe.config.queues import Queue\n"
        "from smtp_probe.errors import QueueError\n"
        "from smtp_probe.network.queue import LocalQueue\n"
        f"queue = Queue.model_validate(dict(kind='exim', method='spool', path={str(tmp_path)!r}))\n"
        "async def look():\n"
        "    try: await LocalQueue(queue).read(print)\n"
        "    except QueueError as error: print(error.failure.value)\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "asyncio.run(look())\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)

    assert run.stdout.strip() == "denied", run.stderr


@pytest.mark.parametrize(
    ("method", "entries"),
    [
        ("postqueue", 100_000),
        ("showq", 100_000),
        ("exim", 100_000),
        ("spool", 100_000 if IS_FULL else 5_000),  # to write its files takes longer than to read them
    ],
)
@pytest.mark.slow
@pytest.mark.timeout(700)
def test_a_hundred_thousand_entries_cost_no_more_than_eight_mebibytes(method, entries, tmp_path):
    """Of them most are the names of 20,000 destinations; the listings themselves are 7 to 27 MB long."""
    argv = [sys.executable, "-m", "tests.network.queue_flood", method, str(tmp_path), str(entries)]
    done = subprocess.run(argv, capture_output=True, check=True, timeout=600 if IS_FULL else 120)
    few, many = json.loads(done.stdout).values()

    assert (few["counted"], many["counted"]) == (1_000, entries)
    assert many["peak_kib"] - few["peak_kib"] < 8 * 1024
