"""What the spam filters on the way wrote of a message: score, threshold and verdict.

In: the fields of a header. Out: one `SpamResult` for each filter that wrote something, the one nearest to the mailbox
first: filters write above what is there. Judges nothing and trusts nobody: any host on the way can write such a field,
and what it says is told as its word. A figure that is none is left out. Never raises, and takes linear time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from smtp_probe.mail.syntax.text import sanitise
from smtp_probe.model import SpamFilter, SpamResult, SpamVerdict
from smtp_probe.model.words import in_words

Fields = Sequence[tuple[str, bytes]]
Values = Mapping[str, bytes]
"""The topmost value of each field."""

_NUMBER = rb"([-+]?\d{1,7}(?:[.,]\d{1,7})?)(?!\w|[.,]\d)"
_MOST_DETAIL = 80
_SCL_SPAM = 5.0
"""Microsoft's own scale: 5 and 6 are spam, 7 to 9 high confidence spam; -1 was exempt."""
_BARRACUDA_OFF = 1000.0
"""The level that no score reaches: the action is switched off."""


def read_spam_results(fields: Fields) -> tuple[SpamResult, ...]:
    """Give what each filter says, topmost first."""
    values: dict[str, bytes] = {}
    for name, value in fields:
        known = _SPAMCHECK if name.endswith(_SPAMCHECK) else name  # MailScanner puts the site's name in front
        if known in _OWNERS:
            values.setdefault(known, value)
    filters = dict.fromkeys(each for name in values for each in _owners(name, values))
    results = (_READERS[each](values) for each in filters)
    return tuple(result for result in results if result is not None)


def _owners(name: str, values: Values) -> tuple[SpamFilter, ...]:
    """Whose a field is. rspamd writes fields of SpamAssassin's names too, but never the threshold into them."""
    is_shared = name in _SPAMASSASSIN_FIELDS and not values.keys().isdisjoint(_RSPAMD_FIELDS)
    if is_shared and b"required=" not in values.get("x-spam-status", b""):
        return (SpamFilter.RSPAMD,)
    return _OWNERS[name]


def _read_spamassassin(values: Values) -> SpamResult | None:
    check = values.get(_SPAMCHECK, b"")
    status = values.get("x-spam-status", check)
    report = next((values[name] for name in _SPAM_REPORTS if name in values), b"")
    score = _find(rb"(?i)\b(?:score|hits)=" + _NUMBER, status)
    if score is None:
        score = _bare_score(values)
    if score is None:
        score = _find(rb"\(" + _NUMBER + rb" points, ", report)
    if score is None:
        score = _find(rb"results: {1,8}" + _NUMBER, values.get("x-spam-level", b""))  # Proxmox
    threshold = _find(rb"(?i)\brequired[= ]" + _NUMBER, status)
    if threshold is None:
        threshold = _find(rb" points, " + _NUMBER + rb" required\)", report)
    verdict = _yes_or_no(values.get("x-spam-flag", status))
    if check and verdict is SpamVerdict.UNKNOWN:
        verdict = _spam_or_not(check)
    return _result(SpamFilter.SPAMASSASSIN, score, threshold, _compare(verdict, score, threshold))


def _bare_score(values: Values) -> float | None:
    """The score in a field of its own: alone, or in brackets beside a bar of as many signs.

    cPanel's Exim writes ten times the score there, as a whole number; the bar beside it has a sign for each point.
    """
    said = values.get("x-spam-score", values.get("x-spam_score", b""))
    score = _find(rb"^(?:[*+/]{1,99} *|-{1,99} +)?\(?" + _NUMBER, said)
    bar = len(values.get("x-spam-bar", values.get("x-spam_bar", b"")).strip(b" /"))
    is_tenfold = score is not None and b"." not in said and bar and abs(abs(score) / 10 - bar) < 1
    return score / 10 if score is not None and is_tenfold else score


def _read_rspamd(values: Values) -> SpamResult | None:
    """The two figures are the score and the one from which mail is rejected; what is marked is told by the action."""
    result = values.get("x-spamd-result", b"")
    score = _find(rb"\[" + _NUMBER + rb" ?/ ?", result)
    if score is None:
        score = _find(rb"^" + _NUMBER, values.get("x-rspamd-score", b""))
    if score is None:
        score = _find(rb"(?i)\bscore=" + _NUMBER, values.get("x-spam-status", b""))
    threshold = _find(rb"/ ?" + _NUMBER + rb"\]", result[:200])
    action = values.get("x-rspamd-action", b"").lower()
    marked = (values.get(name, b"") for name in ("x-spam", "x-spam-flag", "x-spam-status"))
    if (
        b"default: True" in result[:40]
        or any(_yes_or_no(value) is SpamVerdict.SPAM for value in marked)
        or action in _RSPAMD_SPAM_ACTIONS
    ):
        verdict = SpamVerdict.SPAM
    elif action or b"default: False" in result[:40]:
        verdict = SpamVerdict.NOT_SPAM
    else:
        verdict = SpamVerdict.UNKNOWN
    return _result(SpamFilter.RSPAMD, score, threshold, verdict, action)


def _read_microsoft(values: Values) -> SpamResult | None:
    report = values.get("x-forefront-antispam-report", b"")
    level = _find(rb"^" + _NUMBER, values.get("x-ms-exchange-organization-scl", b""))
    score = level if level is not None else _find(rb"(?:^|;) *SCL: *" + _NUMBER, report)
    words = dict(re.findall(rb"(?:^|;) *(SFV|CAT|SFTY): *([A-Za-z0-9._-]{1,24})", report))
    found = words.get(b"SFV", b"").upper()
    if found in _SFV_SPAM or (score is not None and score >= _SCL_SPAM):
        verdict = SpamVerdict.SPAM
    elif found or score is not None:
        verdict = SpamVerdict.NOT_SPAM
    else:
        verdict = SpamVerdict.UNKNOWN
    detail = b" ".join(name + b":" + word for name, word in words.items())
    return _result(SpamFilter.MICROSOFT, score, None if score is None else _SCL_SPAM, verdict, detail)


def _read_microsoft_bulk(values: Values) -> SpamResult | None:
    """The level from which bulk mail is junk is the tenant's own, and is not in the header."""
    level = _find(rb"(?:^|;) *BCL: *" + _NUMBER, values.get("x-microsoft-antispam", b""))
    return _result(SpamFilter.MICROSOFT_BULK, level)


def _read_gmail(values: Values) -> SpamResult | None:
    """Google writes no score; these two are there in mail of Workspace domains that ask for them."""
    flags = [values[name].strip() for name in ("x-gm-spam", "x-gm-phishy") if name in values]
    if b"1" in flags:
        detail = b"phishing" if values.get("x-gm-phishy", b"").strip() == b"1" else b""
        return _result(SpamFilter.GMAIL, verdict=SpamVerdict.SPAM, detail=detail)
    is_clean = bool(flags) and all(flag == b"0" for flag in flags)
    return _result(SpamFilter.GMAIL, verdict=SpamVerdict.NOT_SPAM if is_clean else SpamVerdict.UNKNOWN)


def _read_barracuda(values: Values) -> SpamResult | None:
    """Three levels: from the first on mail is marked and delivered all the same, from the others on it is kept back.

    Its `Yes` says no more than that mail is marked. Only where it is kept back has it gone the way of junk, so the lower one of
    these levels is the threshold.
    """
    status = values.get("x-barracuda-spam-status", values.get("x-bess-spam-status", b""))
    score = _find(rb"(?i)\bSCORE=" + _NUMBER, status)
    if score is None:
        said = values.get("x-barracuda-spam-score", values.get("x-bess-spam-score", b""))
        score = _find(rb"^" + _NUMBER, said)
    tag, *others = (
        _find(rb"(?i)\b" + name + rb"_LEVEL=" + _NUMBER, status) for name in (b"TAG", b"QUARANTINE", b"KILL")
    )
    threshold = min((level for level in others if level is not None and level < _BARRACUDA_OFF), default=None)
    verdict = _compare(_yes_or_no(values.get("x-barracuda-spam-flag", status)), score, threshold)
    is_tagged = score is not None and tag is not None and tag <= score < (threshold or _BARRACUDA_OFF)
    return _result(SpamFilter.BARRACUDA, score, threshold, verdict, b"tagged" if is_tagged else b"")


def _read_proofpoint(values: Values) -> SpamResult | None:
    details = values.get("x-proofpoint-spam-details", b"")
    score = _find(rb"(?:^|[\s;])score=" + _NUMBER, details)
    match = re.search(rb"(?:^|\s)rule=([a-z0-9_-]{1,64})", details)
    rule = match[1] if match is not None else b""
    if b"notspam" in rule:
        verdict = SpamVerdict.NOT_SPAM
    elif b"spam" in rule or b"phish" in rule:
        verdict = SpamVerdict.SPAM
    else:
        verdict = SpamVerdict.UNKNOWN
    return _result(SpamFilter.PROOFPOINT, score, None, verdict, rule)


def _read_mimecast(values: Values) -> SpamResult | None:
    score = _find(rb"^" + _NUMBER, values.get("x-mimecast-spam-score", b""))
    is_spam = _yes_or_no(values.get("x-mimecast-spam-signature", b"")) is SpamVerdict.SPAM
    is_bulk = _yes_or_no(values.get("x-mimecast-bulk-signature", b"")) is SpamVerdict.SPAM
    verdict = SpamVerdict.SPAM if is_spam else SpamVerdict.UNKNOWN
    return _result(SpamFilter.MIMECAST, score, None, verdict, b"bulk" if is_bulk else b"")


def _result(
    filter_: SpamFilter,
    score: float | None = None,
    threshold: float | None = None,
    verdict: SpamVerdict = SpamVerdict.UNKNOWN,
    detail: bytes = b"",
) -> SpamResult | None:
    """None where the fields say nothing."""
    if score is None and verdict is SpamVerdict.UNKNOWN:
        return None
    said = sanitise(detail.decode("ascii", "replace"), _MOST_DETAIL)
    return SpamResult(filter=filter_, score=score, threshold=threshold, verdict=verdict, detail=said)


def _compare(verdict: SpamVerdict, score: float | None, threshold: float | None) -> SpamVerdict:
    """The verdict as it was said; where it was not, by the two figures."""
    if verdict is not SpamVerdict.UNKNOWN or score is None or threshold is None:
        return verdict
    return SpamVerdict.SPAM if score >= threshold else SpamVerdict.NOT_SPAM


def _spam_or_not(value: bytes) -> SpamVerdict:
    match = re.match(rb"(?i) *(not )?spam\b", value)
    if match is None:
        return SpamVerdict.UNKNOWN
    return SpamVerdict.SPAM if match[1] is None else SpamVerdict.NOT_SPAM


def _find(pattern: bytes, value: bytes) -> float | None:
    match = re.search(pattern, value)
    return None if match is None else float(match[1].replace(b",", b"."))


def _yes_or_no(value: bytes) -> SpamVerdict:
    match = re.match(rb"(?i) *(yes|no|true|false)\b", value)
    if match is None:
        return SpamVerdict.UNKNOWN
    return SpamVerdict.SPAM if match[1].lower() in (b"yes", b"true") else SpamVerdict.NOT_SPAM


_RSPAMD_SPAM_ACTIONS = frozenset({b"reject", b"add header", b"rewrite subject", b"quarantine", b"discard"})
_SFV_SPAM = frozenset({b"SPM", b"SKS", b"SKB", b"BLK"})
"""Spam by the filter, by a rule before it, by the tenant's list of senders, by the user's."""
_SPAMCHECK = "-mailscanner-spamcheck"
_SPAM_REPORTS = ("x-spam-report", "x-spam_report", "x-ham-report")
_SPAMASSASSIN_FIELDS = frozenset(
    {
        *("x-spam-status", "x-spam-score", "x-spam_score", "x-spam-flag", "x-spam-level", "x-spam-bar"),
        *("x-spam_bar", *_SPAM_REPORTS),
    }
)
_RSPAMD_FIELDS = frozenset({"x-spamd-result", "x-rspamd-action", "x-rspamd-score", "x-spamd-bar"})

_OWNERS: dict[str, tuple[SpamFilter, ...]] = {
    **dict.fromkeys(_SPAMASSASSIN_FIELDS, (SpamFilter.SPAMASSASSIN,)),
    _SPAMCHECK: (SpamFilter.SPAMASSASSIN,),
    **dict.fromkeys(_RSPAMD_FIELDS, (SpamFilter.RSPAMD,)),
    "x-spam": (SpamFilter.RSPAMD,),
    "x-ms-exchange-organization-scl": (SpamFilter.MICROSOFT,),
    "x-forefront-antispam-report": (SpamFilter.MICROSOFT,),
    "x-microsoft-antispam": (SpamFilter.MICROSOFT_BULK,),
    "x-gm-spam": (SpamFilter.GMAIL,),
    "x-gm-phishy": (SpamFilter.GMAIL,),
    "x-barracuda-spam-status": (SpamFilter.BARRACUDA,),
    "x-barracuda-spam-score": (SpamFilter.BARRACUDA,),
    "x-barracuda-spam-flag": (SpamFilter.BARRACUDA,),
    "x-bess-spam-status": (SpamFilter.BARRACUDA,),
    "x-bess-spam-score": (SpamFilter.BARRACUDA,),
    "x-proofpoint-spam-details": (SpamFilter.PROOFPOINT,),
    "x-mimecast-spam-score": (SpamFilter.MIMECAST,),
    "x-mimecast-spam-signature": (SpamFilter.MIMECAST,),
    "x-mimecast-bulk-signature": (SpamFilter.MIMECAST,),
}
"""Whose each field is."""
_READERS: dict[SpamFilter, Callable[[Values], SpamResult | None]] = {
    SpamFilter.SPAMASSASSIN: _read_spamassassin,
    SpamFilter.RSPAMD: _read_rspamd,
    SpamFilter.MICROSOFT: _read_microsoft,
    SpamFilter.MICROSOFT_BULK: _read_microsoft_bulk,
    SpamFilter.GMAIL: _read_gmail,
    SpamFilter.BARRACUDA: _read_barracuda,
    SpamFilter.PROOFPOINT: _read_proofpoint,
    SpamFilter.MIMECAST: _read_mimecast,
}


def describe_spam(results: Sequence[SpamResult]) -> Iterator[str]:
    """Say in a sentence what each filter that took the message for spam says."""
    for result in results:
        if result.verdict is SpamVerdict.SPAM:
            score = "" if result.score is None else f", with a score of {result.score:g}"
            bound = "" if result.threshold is None or not score else f" where {result.threshold:g} is spam"
            why = f" ({result.detail})" if result.detail else ""
            yield f"The filter {in_words(result.filter)} took the message for spam{score}{bound}{why}."
