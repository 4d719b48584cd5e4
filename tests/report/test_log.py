"""Setting logging up."""

import io
import logging

import pytest

from smtp_probe.report.log import LogHandler, configure, register_secret


@pytest.fixture
def stream():
    """A stream for the log; the root logger is left as it was found."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield io.StringIO()
    logging.captureWarnings(capture=False)
    for handler in [handler for handler in root.handlers if handler not in handlers]:
        root.removeHandler(handler)
    root.setLevel(level)
    for library in ("aioimaplib", "aiohttp", "asyncio", "aiosmtplib", "mail.log"):
        logging.getLogger(library).setLevel(logging.NOTSET)


def test_lines_go_to_the_stream_from_the_level_on(stream):
    configure("info", "logfmt", stream)
    logging.getLogger("smtp_probe.test").info("seen")
    logging.getLogger("smtp_probe.test").debug("unseen")

    assert "msg=seen logger=smtp_probe.test" in stream.getvalue()
    assert "unseen" not in stream.getvalue()


def test_libraries_do_not_talk_below_warnings_even_when_debugging(stream):
    """aioimaplib writes the commands that it sends at debug level, LOGIN among them."""
    configure("debug", "logfmt", stream)
    logging.getLogger("aioimaplib.aioimaplib").debug("Sending : LOGIN probe hunter22")
    logging.getLogger("smtp_probe.test").debug("ours")

    assert "ours" in stream.getvalue()
    assert "hunter22" not in stream.getvalue()


def test_registered_secrets_do_not_reach_the_stream(stream):
    configure("info", "json", stream)
    register_secret("correct horse battery")
    logging.getLogger("somebody").warning("the password is %s", "correct horse battery")

    assert "horse" not in stream.getvalue()


def test_lines_are_counted_by_level_and_exceptions_as_bugs(stream):
    handler = configure("info", "logfmt", stream)
    log = logging.getLogger("smtp_probe.test")
    log.info("one")
    log.warning("two")
    log.warning("three", exc_info=ValueError("expected"))
    log.error("four")
    log.debug("unseen")
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        log.exception("five")

    assert handler.by_level == {"info": 1, "warning": 2, "error": 2}
    assert handler.internal_errors == 1


def test_setting_up_again_replaces_and_goes_on_counting(stream):
    configure("info", "logfmt", stream)
    logging.getLogger("smtp_probe.test").info("one")
    again = io.StringIO()
    handler = configure("info", "json", again)
    logging.getLogger("smtp_probe.test").info("two")
    ours = [each for each in logging.getLogger().handlers if isinstance(each, LogHandler)]

    assert ours == [handler]
    assert handler.by_level == {"info": 2}
    assert "two" not in stream.getvalue()
    assert '"msg": "two"' in again.getvalue()


@pytest.mark.parametrize(("level", "form"), [("loud", "logfmt"), ("info", "xml")])
def test_an_unknown_level_or_form_is_an_error(stream, level, form):
    with pytest.raises(ValueError, match="loud|LOUD|xml"):
        configure(level, form, stream)
