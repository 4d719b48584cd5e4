"""OAUTHBEARER's first message, by the example of RFC 7628 section 4.1, and its acknowledgement of section 4.3."""

from base64 import b64decode

import pytest

from smtp_probe.network.oauth_bearer import ACKNOWLEDGEMENT, initial_response


@pytest.mark.parametrize(
    ("username", "shown"), [("user@example.com", "user@example.com"), ("a=b,c", "a=3Db=2Cc")]
)
def test_the_first_message(username, shown):
    token = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="

    assert initial_response(username, token) == f"n,a={shown},\1auth=Bearer {token}\1\1"


def test_a_refusal_is_acknowledged_by_a_separator():
    assert b64decode(ACKNOWLEDGEMENT) == b"\1"
