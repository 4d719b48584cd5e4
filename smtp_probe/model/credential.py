"""What asking an authorization server for an access token came to, in bounded words."""

from __future__ import annotations

from enum import StrEnum


class TokenResult(StrEnum):
    """How one request for an access token ended. Bounded: these values are metric labels."""

    RENEWED = "renewed"
    INVALID_GRANT = "invalid_grant"
    """The refresh token or assertion is expired, revoked or not ours (RFC 6749 section 5.2): log in again."""
    INVALID_CLIENT = "invalid_client"
    """The client's own secret, key or name is not accepted."""
    REFUSED = "refused"
    """Any other error of the authorization server, such as a scope that it does not give."""
    NETWORK = "network"
    """It was not reached, its certificate did not verify, or it did not answer in time, or with 5xx."""
    PROTOCOL = "protocol"
    """It answered with something that is no token."""
    REVOKED = "revoked"
    """A mail server refused a token before it was to expire: it was taken back, or means nothing there. Another is had."""
    LOCAL = "local"
    """A secret, key or token file of ours cannot be used, or nobody has logged in yet."""
