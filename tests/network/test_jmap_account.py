"""The shapes of answers that no server should give."""

from __future__ import annotations

import pytest

from smtp_probe.config.settings import Mailbox
from smtp_probe.errors import MailboxError
from smtp_probe.model import Cause
from smtp_probe.network.jmap_account import MAIL, JmapAccount, names_in, objects_in, state_in
from smtp_probe.network.web_api import WebApi
from tests.network.submitting import FixedResolver

WHOLE = {
    "apiUrl": "/api", "downloadUrl": "/d", "primaryAccounts": {MAIL: "A"}, "accounts": {"A": {}},
}  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"apiUrl": None}, {"apiUrl": ""}, {"downloadUrl": 7}, {"primaryAccounts": {}}, {"primaryAccounts": []},
        {"accounts": []}, {"accounts": {"B": {}}}, {"primaryAccounts": {MAIL: 7}}, {"apiUrl": "https://[::1"},
    ],
)  # fmt: skip
def test_a_session_resource_that_is_none_is_refused(changes):
    api = WebApi(Mailbox(protocol="jmap", host="a", tls="implicit"), FixedResolver("127.0.0.1"), None)
    JmapAccount(api, WHOLE, "https://a/")
    with pytest.raises(MailboxError) as caught:
        JmapAccount(api, WHOLE | changes, "https://a/")
    assert (caught.value.stage, caught.value.cause) == ("session", Cause.PROTOCOL_ERROR)


@pytest.mark.parametrize("read", [names_in, state_in])
@pytest.mark.parametrize("value", [None, 7, {}, [7], [""], ["x" * 300]])
def test_ids_and_states_are_texts(read, value):
    with pytest.raises(MailboxError):
        read({"key": value}, "key", "list")


@pytest.mark.parametrize("value", [None, {}, [7], [{}], [{"id": 7}]])
def test_objects_have_ids(value):
    with pytest.raises(MailboxError):
        objects_in({"list": value}, "list")
