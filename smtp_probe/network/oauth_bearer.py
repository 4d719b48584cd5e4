"""OAUTHBEARER (RFC 7628): what a client says with an access token, and how it takes a refusal.

In: a user name and a token. Out: texts for SMTP and IMAP alike, not yet in base64. Sends nothing.
"""

from __future__ import annotations

ACKNOWLEDGEMENT = b"AQ=="
"""What answers the server's reasons for a refusal: a lone kvsep (section 3.2.3), in base64."""


def initial_response(username: str, token: str) -> str:
    """The client's first message (section 3.1): a GS2 header with the user, and the token."""
    name = username.replace("=", "=3D").replace(",", "=2C")  # saslname, RFC 5801 section 4
    return f"n,a={name},\1auth=Bearer {token}\1\1"
