"""Log lines: one a record, whatever is in it."""

import json
import logging
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.report.log_format import JsonFormatter, LogfmtFormatter
from smtp_probe.report.redaction import Redactor

PAIR = re.compile(r'([A-Za-z0-9_.]+)=("(?:[^"\\]|\\.)*"|[^ "]*)(?: |$)')
TEXTS = st.text(st.characters(), max_size=60)


def make_record(message="hello", *args, level=logging.INFO, exc_info=None, **fields):
    record = logging.LogRecord("smtp_probe.test", level, __file__, 1, message, args, exc_info)
    record.created = 1_790_000_000.123456
    record.__dict__.update(fields)
    return record


def pairs_of(line):
    """Read logfmt strictly: the line is nothing but pairs."""
    assert PAIR.sub("", line) == ""
    return dict(PAIR.findall(line))


def test_a_line_of_logfmt():
    record = make_record("probe %s ended", "p1", route="example", seconds=1.5, ok=True, peer=None)

    assert LogfmtFormatter().format(record) == (
        'ts=2026-09-21T14:13:20.123Z level=info msg="probe p1 ended" logger=smtp_probe.test '
        'route=example seconds=1.5 ok=true peer=""'
    )


def test_a_line_of_json():
    record = make_record("probe %s ended", "p1", route="example", seconds=1.5, ok=True, peer=None)

    assert json.loads(JsonFormatter().format(record)) == {
        "ts": "2026-09-21T14:13:20.123Z",
        "level": "info",
        "msg": "probe p1 ended",
        "logger": "smtp_probe.test",
        "route": "example",
        "seconds": 1.5,
        "ok": True,
        "peer": None,
    }


@given(TEXTS, TEXTS)
def test_no_text_can_begin_a_line_or_add_a_field(message, value):
    record = make_record("%s", message, said=value)
    line = LogfmtFormatter().format(record)

    assert line.isprintable()
    assert list(pairs_of(line)) == ["ts", "level", "msg", "logger", "said"]


@given(TEXTS, TEXTS)
def test_json_is_one_line_of_ascii_that_reads_back(message, value):
    line = JsonFormatter().format(make_record("%s", message, said=value))

    assert line.isascii()
    assert "\n" not in line
    assert json.loads(line)["msg"] == message
    assert json.loads(line)["said"] == value


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain", "plain"),
        ("with space", '"with space"'),
        ('a"b\\c', '"a\\"b\\\\c"'),
        ("one\ntwo\r\t", '"one\\ntwo\\r\\t"'),
        ("\x1b[31m", '"\\u001b[31m"'),
        ("\u202eabc", '"\\u202eabc"'),
        ("\U000e0001", '"\\U000e0001"'),
        ("\udcff", '"\\udcff"'),
        ("grün", '"grün"'),
        ("a=b", '"a=b"'),
    ],
)
def test_values_are_quoted_and_escaped_where_they_must_be(text, written):
    line = LogfmtFormatter().format(make_record(said=text))

    assert line.endswith(f"said={written}")


@pytest.mark.parametrize("formatter", [LogfmtFormatter, JsonFormatter])
def test_a_traceback_is_a_field_of_its_line(formatter):
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        line = formatter().format(make_record("failed", exc_info=sys.exc_info()))

    assert "\n" not in line
    assert "ZeroDivisionError" in line


@pytest.mark.parametrize("formatter", [LogfmtFormatter, JsonFormatter])
def test_secrets_are_struck_from_every_part(formatter):
    redactor = Redactor()
    redactor.register('hunter "22"')
    try:
        raise ValueError('hunter "22"')
    except ValueError:
        record = make_record('login with hunter "22"', exc_info=sys.exc_info(), said='hunter "22"')
    line = formatter(redactor).format(record)

    assert "hunter" not in line
    assert line.count("[redacted]") >= 3


def test_a_field_s_name_cannot_break_the_line():
    line = LogfmtFormatter().format(make_record(**{'bad name="x"\n': "v"}))

    assert "bad_name__x__=v" in line


def test_a_number_that_json_has_not_is_text():
    line = JsonFormatter().format(make_record(seconds=float("nan")))

    assert json.loads(line)["seconds"] == "nan"
