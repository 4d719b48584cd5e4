"""The demo as people and scripts run it: in a pipe, on a terminal, until a signal, until its time is over."""

import fcntl
import json
import os
import re
import signal
import subprocess
import time
import urllib.request

import pytest

from tests.acceptance.demo import COMMAND, environment, start
from tests.pseudo_terminal import ENDING_SECONDS, Terminal

pytestmark = pytest.mark.slow

START_SECONDS = 30.0
SHOW_CURSOR, HIDE_CURSOR = "\x1b[?25h", "\x1b[?25l"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def on_terminal(temporary, *arguments, size=(100, 40), **environ):
    return Terminal([*COMMAND, *arguments], environment(temporary, **environ), size)


def visible(text):
    return ESCAPES.sub("", text)


def test_json_for_a_while(tmp_path):
    """One object for each ended probe, the pages at the addresses that are told, and an end in time."""
    began = time.monotonic()
    with start(["--duration", "20", "--scenario", "on-time", "--json"], tmp_path) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = json.loads(process.stdout.readline())
        page, metrics = (process.stderr.readline().split()[-1] for _ in range(2))
        samples, landing = get(metrics), get(page)
        out, err = process.communicate(timeout=START_SECONDS)

    assert process.returncode == 0
    assert time.monotonic() - began > 18.0
    objects = [first, *map(json.loads, out.splitlines())]
    assert len(objects) >= 3
    assert {facts["outcome"] for facts in objects} == {"delivered"}
    assert all(facts["delivery_seconds"] > 0.0 for facts in objects)
    assert 'smtp_probe_probes_total{route="on-time"}' in samples
    assert "on-time" in landing
    assert f"{len(objects)} probes ended in " in err
    assert list(tmp_path.iterdir()) == []


def test_a_mix_as_plain_lines_until_sigterm(tmp_path):
    with start([], tmp_path) as process:
        assert process.stdout is not None
        lines = []
        while not any(" bounced " in line and "550 5.1.1" in line for line in lines):
            lines.append(process.stdout.readline())
            assert lines[-1], "".join(lines)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=START_SECONDS)

    text = "".join(lines) + out
    assert process.returncode == 0
    assert time.monotonic() - began < ENDING_SECONDS
    assert all(character.isprintable() or character == "\n" for character in text)
    assert re.search(r"^route +probes +outcomes +median$", text, re.MULTILINE)
    assert re.search(r"^bounced +\d+ +\d+ bounced", text, re.MULTILINE)
    assert re.search(r"^\d+ probes? ended in ", out, re.MULTILINE)
    assert err == "", "none of our own parts had a fault"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scenario", "nonsense"], "choose one of mix, on-time, slow-hop"),
        (["--web.listen-address", "nonsense"], "not an address"),
        (["--directory", "."], "is not empty"),
        (["--duration", "-1"], "--duration"),
    ],
)
def test_a_mistake_is_told_with_exit_code_2(arguments, said, tmp_path):
    done = subprocess.run(
        [*COMMAND, *arguments],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
    )

    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_live_view_shows_a_waterfall_and_leaves_the_terminal_sane(tmp_path):
    with on_terminal(tmp_path, "--scenario", "skewed-clocks") as terminal:
        opening = visible(terminal.read_until("on the way", START_SECONDS))
        frame = visible(terminal.read_until("corrected, ± is a bound", START_SECONDS))
        frame += visible(terminal.read_until("on the way", START_SECONDS))
        began = time.monotonic()
        terminal.type(b"\x03")
        code = terminal.wait(START_SECONDS)
        settings = terminal.settings_now()

    assert "http://127.0.0.1:" in opening
    assert "/metrics" in opening
    # Clocks that are 40 s wrong: the hops are shown on ours, each with its bound, and none takes 40 s.
    assert re.search(r"hops +[0-9.]+ m?s +corrected, ± is a bound", frame)
    hops = re.findall(r"(?:relay|filter|store)\S* +<?([0-9.]+) (m?s) ±<?[0-9.]+ m?s", frame)
    assert len(hops) >= 3
    assert all(unit == "ms" or float(number) < 20 for number, unit in hops)
    assert re.search(r"starttls +[0-9.]+ m?s +[━╸╺]+", frame)
    assert code == 0
    assert time.monotonic() - began < ENDING_SECONDS
    assert settings == terminal.settings
    assert terminal.written.rfind(SHOW_CURSOR) > terminal.written.rfind(HIDE_CURSOR)
    assert re.search(r"skewed-clocks +\d+ +\d+ delivered", visible(terminal.written))
    assert terminal.written.endswith(".\r\n")


def test_a_terminal_may_be_made_smaller_and_larger(tmp_path):
    with on_terminal(tmp_path, "--scenario", "on-time", "--duration", "12", size=(120, 40)) as terminal:
        terminal.read_until("delivered in", START_SECONDS)
        for size in ((40, 12), (10, 3), (100, 30)):
            terminal.resize(*size)
            drawn = terminal.read_until("\x1b[2J", START_SECONDS)
            drawn = terminal.read_until("on the", START_SECONDS) if size[0] > 10 else ""
            assert all(len(line.rstrip("\r")) < size[0] for line in visible(drawn).split("\n"))
        assert terminal.wait(START_SECONDS) == 0


def test_no_color_gives_plain_lines_on_a_terminal(tmp_path):
    with on_terminal(tmp_path, "--scenario", "on-time", "--duration", "9", NO_COLOR="1") as terminal:
        assert terminal.wait(START_SECONDS) == 0

    assert "\x1b" not in terminal.written
    assert re.search(r"on-time +delivered +\d+ ms +hops: relay", terminal.written)


def test_a_window_that_is_closed_ends_it(tmp_path):
    with on_terminal(tmp_path, "--scenario", "on-time") as terminal:
        terminal.read_until("delivered", START_SECONDS)
        terminal.hang_up()
        assert terminal.process.wait(ENDING_SECONDS) == 0

    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_has_seen_enough_ends_it(tmp_path):
    with start(["--scenario", "on-time"], tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("smtp-probe demo")
        process.stdout.close()
        assert process.wait(START_SECONDS) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""

    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_stops_reading_holds_neither_the_daemon_nor_its_end_up(tmp_path):
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    with start(["--scenario", "on-time", "--json"], tmp_path, stdout=writing) as process:
        os.close(writing)
        assert process.stderr is not None
        metrics = [process.stderr.readline() for _ in range(2)][1].split()[-1]
        deadline = time.monotonic() + START_SECONDS
        while not re.search(r'smtp_probe_outcomes_total\{[^}]*"delivered"[^}]*\} [4-9]', get(metrics)):
            assert time.monotonic() < deadline, "the daemon stands still"
            time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(ENDING_SECONDS) == 0
    os.close(reading)

    assert list(tmp_path.iterdir()) == []


def test_a_probe_may_run_beside_the_demo(tmp_path):
    """Both use the same key and the same mailbox, and neither takes the other's message."""
    directory = tmp_path / "kept"
    command = [
        *COMMAND[:-1],
        "probe",
        "on-time",
        "--json",
        "--config.file",
        str(directory / "smtp-probe.yaml"),
    ]
    with start(["--scenario", "on-time", "--json", "--directory", str(directory)], tmp_path) as process:
        assert process.stdout is not None
        process.stdout.readline()
        probe = subprocess.run(
            command, env=environment(tmp_path), capture_output=True, text=True, timeout=START_SECONDS
        )
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=START_SECONDS)

    assert probe.returncode == 0, probe.stderr
    assert json.loads(probe.stdout)["probe_id"] not in out
    assert "duplicate" not in err
    assert "not believed" not in err
