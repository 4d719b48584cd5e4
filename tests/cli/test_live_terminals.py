"""The live views of `probe` and `demo` on terminals: wide, forty columns, without colours, and into a pipe.

All run at the same time, each in a window of tmux; what is looked at is the screen, as a person sees it.
"""

import asyncio
import os
import re
import shlex
import sys
from dataclasses import dataclass

import pytest
from rich.cells import cell_len

from tests.app.test_usual_time import keep
from tests.cli.embedded_path import embedded_path
from tests.cli.tmux import Tmux
from tests.report.samples import make_outcome, make_probe

pytestmark = [pytest.mark.lab, pytest.mark.slow]  # tmux is a program of Debian's
ROUTE = "slow-hop"
WIDE, NARROW = (110, 40), (40, 24)
PROGRAM = [sys.executable, "-m", "smtp_probe"]
KNOWN = {
    "PATH": os.environ["PATH"],
    "LANG": "C.UTF-8",
    "PYTHONPATH": "",
    "PYTHONDONTWRITEBYTECODE": "1",
}


@dataclass
class Seen:
    """What stood on a screen: while it ran, at the end, and what the end looks like with its escape sequences."""

    frames: list[str]
    last: str
    raw: str
    has_cursor: bool

    def frame(self, pattern):
        """The first picture in which something stands."""
        found = next((each for each in self.frames if re.search(pattern, each)), None)
        assert found is not None, (
            f"{pattern!r} was never seen; last: {self.frames[-1] if self.frames else ''}"
        )
        return found


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    folder = tmp_path_factory.mktemp("terminals")
    with embedded_path(folder / "demo", ROUTE) as config_file:
        usual = [make_outcome(probe=make_probe(n, ROUTE), seconds=60.0) for n in range(3)]
        asyncio.run(keep(folder / "demo" / "state", *usual))
        tmux = Tmux(folder)
        probe = [*PROGRAM, "probe", ROUTE, "--config.file", str(config_file)]
        demo = [*PROGRAM, "demo", "--scenario", ROUTE, "--web.listen-address", "127.0.0.1:0"]
        tmux.open("probe-wide", WIDE, probe, KNOWN)
        tmux.open("probe-narrow", NARROW, probe, KNOWN | {"COLUMNS": "120", "LINES": "50"})
        tmux.open("probe-plain", WIDE, probe, KNOWN | {"NO_COLOR": "1"})
        tmux.open("probe-pipe", WIDE, f"{shlex.join(probe)} | cat", KNOWN)
        tmux.open("demo-wide", WIDE, demo, KNOWN)
        tmux.open("demo-narrow", NARROW, demo, KNOWN)
        tmux.open("demo-pipe", WIDE, f"{shlex.join(demo)} | sh -c 'trap \"\" INT; cat'", KNOWN)
        enough = {
            "demo-wide": "arrival .*usually",
            "demo-narrow": r"arrival .*\n usually",
            "demo-pipe": "delivered",
        }
        try:
            films = tmux.film(90.0, {name: (pattern, "C-c") for name, pattern in enough.items()})
            yield {
                name: Seen(
                    frames[:-1], frames[-1], tmux.screen(name, with_escapes=True), tmux.has_cursor(name)
                )
                for name, frames in films.items()
            }
        finally:
            tmux.close()


def widest(screen):
    return max(cell_len(line) for line in screen.splitlines())


def test_a_wide_terminal_shows_what_is_waited_for_against_the_usual_time(seen):
    wide = seen["probe-wide"]
    frame = wide.frame(r"● arrival .*watching the mailbox for the message, at most 6\.00 s")
    assert re.search(r"✓ mailbox +\d", frame)
    assert re.search(r"delivery \d+\.\d s, usually 60\.00 s  \[", frame)

    assert re.search(r"✓ delivered in \d\.\d+ s\n\n\[ended 0\]", wide.last)
    assert "usually" not in wide.last, "the live view is gone when the result stands in its place"
    assert "watching the mailbox" not in wide.last
    assert wide.has_cursor
    assert "\x1b[" in wide.raw


def test_forty_columns_show_the_same_and_break_no_line(seen):
    narrow = seen["probe-narrow"]
    frame = narrow.frame(
        r"● arrival +\d\.\d s\n    watching the mailbox for the\n    message, at most 6\.00 s"
    )
    assert re.search(r"delivery \d\.\d s, usually 60\.00 s\n  \[", frame)
    assert all(widest(each) < NARROW[0] for each in narrow.frames if "●" in each)

    assert "delivered in" in narrow.last
    assert narrow.has_cursor


def test_without_colours_each_step_is_a_line_and_nothing_is_drawn(seen):
    plain = seen["probe-plain"]

    assert "\x1b" not in plain.raw
    assert re.search(r"^arrival: watching the mailbox", plain.last, re.MULTILINE)
    assert "delivered in" in plain.last


def test_a_pipe_gets_the_result_alone(seen):
    pipe = seen["probe-pipe"]

    assert "\x1b" not in pipe.raw
    assert "watching the mailbox" not in pipe.last
    assert "delivered in" in pipe.last


def test_the_demo_shows_what_is_waited_for_and_how_long_that_usually_takes(seen):
    wide = seen["demo-wide"]
    frame = wide.frame(rf"on the way  {ROUTE}: arrival \d+ s( \(\d\))?, usually \d\.\d\d s")
    assert re.search(rf"{ROUTE} +delivered", frame)

    assert re.search(r"probes? ended in .*\n\n\[ended 0\]", wide.last)
    assert "on the way  slow" not in wide.last
    assert wide.has_cursor


def test_the_demo_fits_forty_columns(seen):
    narrow = seen["demo-narrow"]
    frame = narrow.frame(rf"on the way  {ROUTE}: arrival \d+ s( \(\d\))?,\n usually \d\.\d\d s")
    assert widest(frame) < NARROW[0], frame
    assert "ended in" in narrow.last
    assert widest(narrow.last) <= NARROW[0]
    assert narrow.has_cursor


def test_the_demo_writes_plain_lines_into_a_pipe(seen):
    pipe = seen["demo-pipe"]

    assert "\x1b" not in pipe.raw
    assert re.search(rf"^\d\d:\d\d:\d\dZ  {ROUTE} +delivered", pipe.last, re.MULTILINE)
    assert "[ended 0]" in pipe.last
