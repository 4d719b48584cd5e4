"""Names of Postfix's queues."""

import pytest

from smtp_probe.mail.queue_listing.states import postfix_state
from smtp_probe.model import QueueState


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("incoming", QueueState.INCOMING),
        ("maildrop", QueueState.INCOMING),
        ("active", QueueState.ACTIVE),
        ("deferred", QueueState.DEFERRED),
        ("hold", QueueState.HOLD),
        ("corrupt", QueueState.OTHER),
        ('"} 1\n', QueueState.OTHER),
    ],
)
def test_each_queue_of_postfix_has_a_bounded_state(name, state):
    assert postfix_state(name) is state
