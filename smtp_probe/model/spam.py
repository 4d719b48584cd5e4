"""What a spam filter on the way wrote into a message's header."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SpamFilter(StrEnum):
    """Whose word it is, by the form of its header fields. Bounded: these values are metric labels."""

    SPAMASSASSIN = "spamassassin"
    """Also amavis and whatever else writes X-Spam-Status as SpamAssassin does."""
    RSPAMD = "rspamd"
    MICROSOFT = "microsoft"
    """The spam confidence level (SCL), -1 to 9."""
    MICROSOFT_BULK = "microsoft_bulk"
    """The bulk complaint level (BCL), 0 to 9."""
    GMAIL = "gmail"
    BARRACUDA = "barracuda"
    PROOFPOINT = "proofpoint"
    MIMECAST = "mimecast"


class SpamVerdict(StrEnum):
    """What a filter took the message for."""

    SPAM = "spam"
    NOT_SPAM = "not_spam"
    UNKNOWN = "unknown"
    """The header gives a figure, and not what it means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpamResult:
    """One filter's word. Scores of different filters are on different scales."""

    filter: SpamFilter
    score: float | None = None
    threshold: float | None = None
    """From which score on it is spam; None where neither the header nor the filter's maker says so."""
    verdict: SpamVerdict = SpamVerdict.UNKNOWN
    detail: str = ""
    """The filter's own words for its reason: `SFV:SPM CAT:PHSH`. Sanitised and bounded."""
