"""The section of a queue: defaults by method, and what does not go together."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from smtp_probe.config.queues import Queue, QueueKind, QueueMethod


def test_one_line_is_enough():
    queue = Queue()

    assert (queue.kind, queue.effective_method) == (QueueKind.POSTFIX, QueueMethod.POSTQUEUE)
    assert queue.effective_command == ("postqueue", "-j")


@pytest.mark.parametrize(
    ("settings", "command", "path"),
    [
        ({"kind": "exim"}, ("exim", "-bp"), None),
        ({"kind": "exim", "command": ["sudo", "exim4", "-bp"]}, ("sudo", "exim4", "-bp"), None),
        ({"method": "showq"}, (), Path("/var/spool/postfix/public/showq")),
        ({"kind": "exim", "method": "spool", "path": "/spool"}, (), Path("/spool")),
    ],
)
def test_each_method_has_its_default(settings, command, path):
    queue = Queue.model_validate(settings)

    assert queue.effective_command == command
    assert path is None or queue.effective_path == path


@pytest.mark.parametrize(
    "settings",
    [
        {"kind": "exim", "method": "showq"},
        {"kind": "postfix", "method": "spool"},
        {"method": "showq", "command": ["postqueue"]},
        {"method": "postqueue", "path": "/spool"},
        {"deadline": "2m", "interval": "1m"},
        {"labels": {"queue": "x"}},
        {"minimum_lifetime": "8d", "maximum_lifetime": "7d"},
        {"command": [""]},
        {"top_domains": 101},
    ],
)
def test_what_does_not_go_together_is_refused(settings):
    with pytest.raises(ValidationError):
        Queue.model_validate(settings)
