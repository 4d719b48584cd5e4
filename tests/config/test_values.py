import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from smtp_probe.config import values
from smtp_probe.config.values import format_duration, parse_duration

_SECONDS = TypeAdapter(values.Seconds)


def accepts(kind, value):
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("30s", 30),
        ("1.5s", 1.5),
        ("5m", 300),
        ("1h30m", 5400),
        ("7d", 604800),
        ("1d2h3m4s5ms", 93784.005),
    ],
)
def test_durations_are_read(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("value", [5, 0.25, 300.0])
def test_a_number_is_seconds(value):
    assert _SECONDS.validate_python(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "5",
        "m",
        "5 m",
        "1m1h",
        "-5s",
        "5M",
        "5min",
        "1.5h",
        "٣s",
        "0s",
        "9" * 41 + "s",
        True,
        None,
        [],
        0,
        -1,
        float("inf"),
        float("nan"),
        "367d",
        1e300,
    ],
)
def test_what_is_no_duration_is_refused(value):
    assert not accepts(values.Seconds, value)


@given(st.integers(min_value=1, max_value=366 * 86_400_000))
def test_durations_written_are_read_back(milliseconds):
    assert parse_duration(format_duration(milliseconds / 1000)) == pytest.approx(milliseconds / 1000)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(86400, "1d"), (90, "1m30s"), (0.005, "5ms"), (2.5, "2s500ms"), (0.0001, "0.0001s"), (0, "0s")],
)
def test_durations_are_written_as_people_do(seconds, text):
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (values.Name, ["a", "daily-mail.eu_2", "9"], ["", "-a", ".a", "a b", "a/b", "a" * 64, "é", "a\n"]),
        (
            values.Host,
            [
                "mail.example.org",
                "192.0.2.1",
                "::1",
                "[::1]",
                "a.",
                "_x.9to5.com",
                "1-2",
                "db8::1",
                "::ffff:192.0.2.1",
            ],
            [
                "",
                "a b",
                "smtp://a",
                "a@b",
                "a\n",
                "ü.de",
                "a:587",
                "1.2.3.4:25",
                "a..b",
                "-a",
                "a-",
                "300.1.1.1",
                "1.2",
            ],
        ),
        (values.Port, [1, 65535], [0, 65536, "25", 25.0, True]),
        (
            values.Address,
            ["a@b", "x+y@example.org", "p@[192.0.2.1]"],
            ["a", "@b", "a@", "a b@c", "<a@b>", "ä@b", "a@b\n"],
        ),
        (values.Address, ["a" * 64 + "@b"], ["a" * 65 + "@b", "a@" + "b" * 260]),
        (
            values.Author,
            ["a@b", "Mail probe <a@b>", "Pröbe, <a@b>", "<a@b>", '"x" <a@b>'],
            ["Mail probe", "x a@b", "a@b\r\nBcc: c@d", "x\n<a@b>", "<ä@b>", "<a@b> x"],
        ),
        (values.IpAddress, ["192.0.2.1", "2001:db8::1"], ["example.org", "", "192.0.2"]),
        (values.FolderName, ["INBOX", "[Gmail]/Spam", "Entwürfe"], ["", "a\r\nb", "\x7f"]),
        (values.LabelName, ["team", "a1_b"], ["Team", "1a", "_a", "", "a" * 32]),
        (values.LabelText, ["", "mail team"], ["a\nb", "a" * 65]),
        (values.VariableName, ["A", "relay_password"], ["", "1A", "A-B", "A=B", "A B"]),
        (values.CredentialName, ["inbox", "a.b"], ["", "../a", "a/b", ".a", "a b"]),
        (values.Whole, [0, -5], [True, 1.0, "1", None]),
        (values.Number, [0, 1.5], [True, "1", float("inf"), float("nan")]),
        (values.Flag, [True, False], [0, 1, "true", "no", None]),
        (values.TlsVersion, ["1.2", 1.2, 1.3], ["1.1", 1.1, 1, "TLSv1.2", None]),
    ],
)
def test_values_are_what_they_say(kind, good, bad):
    assert [value for value in good if not accepts(kind, value)] == []
    assert [value for value in bad if accepts(kind, value)] == []


def test_every_pattern_is_explained():
    for name in ("Name", "Host", "Address", "Author", "FolderName", "LabelName", "LabelText", "VariableName"):
        pattern = TypeAdapter(getattr(values, name)).json_schema()["pattern"]
        assert values.PATTERN_HELP[pattern].rule
        assert values.PATTERN_HELP[pattern].noun
