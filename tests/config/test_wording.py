import pytest
from pydantic import ValidationError

from smtp_probe.config.settings import Config
from smtp_probe.config.wording import describe_error, printable, suggest


def say(path, value):
    """What is said of one value, put at a dotted path."""
    parts = path.split(".")
    data = value
    for part in reversed(parts):
        data = {part: data}
    try:
        Config.model_validate(data)
    except ValidationError as error:
        (found,) = [details for details in error.errors() if details["loc"] == tuple(parts)]
        return describe_error(found, tuple(parts))
    raise AssertionError("nothing is wrong")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("senders.a.port", "587", "expected a whole number; found the text '587' (write it without quotes)"),
        (
            "senders.a.port",
            "0587",
            "expected a whole number; found the text '0587' (write it without the leading zero)",
        ),
        ("senders.a.port", 70000, "must be at most 65535"),
        ("senders.a.host", 5, "expected text; found the number 5 (put it in quotes)"),
        ("senders.a.host", "", "must have at least 1 characters"),
        ("senders.a.host", ["x"], "expected text; found a list"),
        ("senders.a.host", {"x": 1}, "expected text; found a section"),
        ("senders.a", "x", "expected a section of settings; found the text 'x'"),
        ("senders.a.tls", "tls", "expected one of implicit, starttls, none; found the text 'tls'"),
        ("senders.a.tls_options.ca_file", 5, "expected a path; found the number 5 (put it in quotes)"),
        (
            "metrics.created_series",
            "yes",
            "expected true or false; found the text 'yes' (YAML 1.2 knows true and false only)",
        ),
        ("metrics.created_series", 1, "expected true or false; found the number 1"),
        ("metrics.detail", "all", "expected one of minimal, route, default, full; found the text 'all'"),
        ("metrics.delivery_buckets", "1s", "expected a list; found the text '1s'"),
        ("metrics.delivery_buckets", [2, 1], "the bounds must ascend, each greater than the one before"),
        ("history_days", 0, "must be more than 0"),
        ("schedule.max_submissions", 2.5, "expected a whole number; found the number 2.5"),
        ("senders", [], "expected a section of names; found a list"),
    ],
)
def test_errors_in_words(path, value, message):
    assert say(path, value) == message


def test_a_duration_is_explained():
    assert say("resolver.lifetime", "1y").startswith(
        "expected a duration such as 250ms, 30s, 5m, 1h30m or 7d, or a "
    )
    assert say("resolver.lifetime", "1y").endswith("; found the text '1y'")


@pytest.mark.parametrize("value", ["x" * 41, "smtp://a:b@c", "a@b"])
def test_long_texts_and_addresses_are_not_repeated(value):
    assert say("senders.a.tls", value).endswith("; found text")


@pytest.mark.parametrize(
    "path",
    ["senders.a.auth.username", "senders.a.auth.mechanism", "senders.a.auth.password_file", "senders.a.auth"],
)
@pytest.mark.parametrize("value", [123456, True, "hunter2", ["hunter2"], {"hunter2": 1}])
def test_nothing_of_a_login_is_repeated(path, value):
    try:
        said = say(path, value)
    except (AssertionError, ValueError):
        return
    assert "hunter2" not in said
    assert "123456" not in said
    assert "true" not in said


def test_an_unknown_key_comes_with_the_nearest_and_the_others():
    assert suggest("intervall", ["sender", "interval"]) == (
        "unknown key 'intervall': did you mean 'interval'? allowed here: sender, interval"
    )
    assert suggest("zzz", ["sender"]) == "unknown key 'zzz': allowed here: sender"
    assert suggest("zzz", [], kind="name") == "unknown name 'zzz': allowed here: nothing"
    assert suggest("x", [f"k{n}" for n in range(50)]).endswith("k28, k29, ...")


def test_texts_are_short_and_clean():
    assert printable("a\x1b[31m\u202eb\n") == "a?[31m?b?"
    assert printable("x" * 50) == "x" * 40 + "..."
    assert printable("x" * 40) == "x" * 40
    assert printable("größe 中") == "größe 中"
