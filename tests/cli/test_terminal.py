"""What a terminal is taken for."""

import io
import os

import pytest

from smtp_probe.cli.terminal import (
    ASCII,
    LINES,
    PLAIN_COLUMNS,
    abandon,
    choose_glyphs,
    is_drawable,
    open_console,
)
from tests.cli.views import HOSTILE, Page

XTERM = {"TERM": "xterm-256color"}


@pytest.mark.parametrize(
    ("environ", "is_terminal", "expected"),
    [
        (XTERM, True, True),
        (XTERM, False, False),
        (XTERM | {"NO_COLOR": "1"}, True, False),
        (XTERM | {"NO_COLOR": ""}, True, True),
        ({"TERM": "dumb"}, True, False),
        ({"TERM": "DUMB"}, True, False),
        ({}, True, False),
        (XTERM | {"FORCE_COLOR": "1", "TTY_COMPATIBLE": "1"}, False, False),
    ],
)
def test_only_a_terminal_that_moves_its_cursor_is_drawn_upon(environ, is_terminal, expected):
    assert is_drawable(Page(is_terminal=is_terminal), environ) is expected


@pytest.mark.parametrize(
    ("encoding", "environ", "is_terminal", "glyphs"),
    [
        ("utf-8", XTERM, True, LINES),
        ("UTF8", XTERM, False, LINES),
        ("ascii", XTERM, True, ASCII),
        ("iso8859-1", XTERM, True, ASCII),
        (None, XTERM, False, ASCII),
        ("utf-8", {"TERM": "linux"}, True, ASCII),
        ("utf-8", {"TERM": "linux"}, False, LINES),
    ],
)
def test_lines_are_drawn_where_encoding_and_font_have_them(encoding, environ, is_terminal, glyphs):
    assert choose_glyphs(Page(is_terminal=is_terminal, encoding=encoding), environ) == glyphs


@pytest.mark.parametrize(
    "environ", [XTERM | {"FORCE_COLOR": "1"}, {"TERM": "dumb"}, XTERM | {"NO_COLOR": "1"}]
)
def test_a_console_for_plain_lines_writes_no_control_character(environ, monkeypatch):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    page = Page()

    open_console(page, environ).print("[bold]kept[/bold]", style="bold red")

    assert page.getvalue() == "[bold]kept[/bold]\n"


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ("64", 64),
        ("3", 20),
        ("99999", 500),
        ("", PLAIN_COLUMNS),
        ("-5", PLAIN_COLUMNS),
        ("wide", PLAIN_COLUMNS),
    ],
)
def test_the_width_of_a_file_is_that_of_the_environment_where_it_is_sane(columns, expected):
    assert open_console(Page(), {"COLUMNS": columns}).width == expected


def test_a_character_that_the_encoding_lacks_is_no_error():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")

    open_console(stream, {}).print("a ━ b, 16 ms ±20 µs")

    assert raw.getvalue() == b"a ? b, 16 ms +-20 us\n"


def test_the_text_of_a_server_is_no_markup():
    page = Page()

    open_console(page, {}).print(HOSTILE.replace("\x1b", ""), soft_wrap=True)

    assert "[red]a[/red]" in page.getvalue()
    assert ":smile:" in page.getvalue()


def test_a_reader_that_is_gone_is_told_to_the_caller_and_does_not_end_the_process():
    reading, writing = os.pipe()
    os.close(reading)
    stream = os.fdopen(writing, "w")

    with pytest.raises(BrokenPipeError):
        open_console(stream, {}).print("nobody reads this")
    abandon(stream)
    stream.close()  # flushes what is left, into nothing
