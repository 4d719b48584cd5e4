"""How long an answer is kept, and what goes first."""

from __future__ import annotations

import pytest

from smtp_probe.model import DnsAnswer, DnsStatus
from smtp_probe.network.dns_cache import DnsCache


def _answer(status: DnsStatus = DnsStatus.FOUND, ttl: int | None = 60, **more: object) -> DnsAnswer:
    return DnsAnswer(name="a.test", kind="A", status=status, ttl_seconds=ttl, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (_answer(), 60),
        (_answer(ttl=999_999), 86_400),
        (_answer(DnsStatus.NO_DATA, 30), 30),
        (_answer(DnsStatus.NO_DATA, 99_999), 10_800),
        (_answer(DnsStatus.TIMEOUT, None), 5),
    ],
)
def test_an_answer_holds_as_long_as_it_says_and_no_longer(answer: DnsAnswer, seconds: int) -> None:
    cache = DnsCache(10)
    cache.put("a.test", answer, 1000.0)
    assert cache.get("a.test", "A", 1000.0 + seconds - 0.01) == answer
    assert cache.get("a.test", "A", 1000.0 + seconds) is None


@pytest.mark.parametrize("answer", [_answer(ttl=0), _answer(DnsStatus.NO_DATA, None)])
def test_what_says_no_time_is_not_kept(answer: DnsAnswer) -> None:
    cache = DnsCache(10)
    cache.put("a.test", answer, 0.0)
    assert cache.get("a.test", "A", 0.0) is None


def test_a_name_that_does_not_exist_has_no_records_of_any_kind() -> None:
    cache = DnsCache(10)
    cache.put("a.test", _answer(DnsStatus.NO_SUCH_NAME), 0.0)
    found = cache.get("a.test", "TXT", 1.0)
    assert found is not None
    assert (found.kind, found.status) == ("TXT", DnsStatus.NO_SUCH_NAME)


def test_behind_an_alias_it_is_another_name_that_does_not_exist() -> None:
    cache = DnsCache(10)
    cache.put("a.test", _answer(DnsStatus.NO_SUCH_NAME, aliases=("b.test",)), 0.0)
    assert cache.get("a.test", "CNAME", 1.0) is None
    assert cache.get("a.test", "A", 1.0) is not None


def test_the_least_recently_used_goes_first() -> None:
    cache = DnsCache(2)
    for name in ("a.test", "b.test"):
        cache.put(name, _answer(), 0.0)
    cache.get("a.test", "A", 1.0)
    cache.put("c.test", _answer(), 1.0)
    assert len(cache) == 2
    assert cache.get("b.test", "A", 1.0) is None
    assert cache.get("a.test", "A", 1.0) is not None


def test_what_comes_from_here_took_no_time() -> None:
    cache = DnsCache(2)
    cache.put("a.test", _answer(duration_seconds=0.5), 0.0)
    found = cache.get("a.test", "A", 1.0)
    assert found is not None
    assert found.duration_seconds is None
