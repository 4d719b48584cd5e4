from collections import Counter

import pytest

from smtp_probe.app.shard import WHOLE, Shard, find_shard
from smtp_probe.config.drills import BounceDrill, Drills
from smtp_probe.config.load import load
from smtp_probe.config.settings import Domain, Queue
from tests.config.samples import write_sound

NAMES = [f"route-{number}" for number in range(6000)]


@pytest.mark.parametrize(
    ("text", "host", "shard"),
    [
        ("0/1", "anywhere", Shard(0, 1)),
        ("2/3", "anywhere", Shard(2, 3)),
        ("auto/3", "mail-smtp-probe-1", Shard(1, 3)),
        ("auto/12", "smtp-probe-11.smtp-probe.mail.svc.cluster.local", Shard(11, 12)),
    ],
)
def test_a_shard_is_told_by_number_or_by_the_ordinal_of_the_host(text, host, shard):
    assert Shard.parse(text, host) == shard


@pytest.mark.parametrize(
    ("text", "host", "reason"),
    [
        ("3/3", "h", "count from zero"),
        ("0/0", "h", "count from zero"),
        ("1", "h", "of the form"),
        ("-1/3", "h", "of the form"),
        ("1/3/5", "h", "of the form"),
        ("\u0660/\u0663", "h", "of the form"),
        ("auto/3", "smtp-probe", "ends in a number"),
        ("auto/3", "smtp-probe-3", "count from zero"),
    ],
)
def test_what_names_no_shard_is_refused_with_the_reason(text, host, reason):
    with pytest.raises(ValueError, match=reason):
        Shard.parse(text, host)


def test_the_shard_of_a_name_never_changes():
    assert [find_shard(name, 7) for name in ("daily", "inbound", "Zürich", "a", "b")] == [3, 4, 1, 1, 5]


@pytest.mark.parametrize("count", [2, 3, 10])
def test_every_name_has_one_shard_and_shards_are_of_like_size(count):
    shards = [Shard(index, count) for index in range(count)]
    assert all(sum(shard.has(name) for shard in shards) == 1 for name in NAMES[:200])
    sizes = Counter(find_shard(name, count) for name in NAMES)
    assert sorted(sizes) == list(range(count))
    assert max(sizes.values()) - min(sizes.values()) < 0.2 * len(NAMES) / count


def test_one_more_shard_moves_only_what_moves_to_it():
    moved = [name for name in NAMES if find_shard(name, 4) != find_shard(name, 5)]
    assert {find_shard(name, 5) for name in moved} == {4}
    assert 0.15 < len(moved) / len(NAMES) < 0.25


def test_shards_divide_routes_domains_and_drills_and_share_the_rest(tmp_path, monkeypatch):
    monkeypatch.setenv("INBOX_PASSWORD", "x")
    sound = load(write_sound(tmp_path))
    whole = sound.model_copy(
        update={
            "routes": dict.fromkeys(NAMES[:30], sound.routes["daily"]),
            "domains": {f"d{number}.example.org": Domain() for number in range(30)},
            "queues": {"outbound": Queue(kind="postfix")},
            "drills": Drills(bounce={name: DRILL for name in NAMES[:30]}),
        }
    )
    parts = [Shard(index, 3).select(whole) for index in range(3)]

    for find in (lambda each: each.routes, lambda each: each.domains, lambda each: each.drills.bounce):
        assert all(find(part) for part in parts)
        assert sorted(name for part in parts for name in find(part)) == sorted(find(whole))
    for part in parts:
        assert (part.queues, part.senders, part.mailboxes) == (whole.queues, whole.senders, whole.mailboxes)
    assert WHOLE.select(whole) is whole


DRILL = BounceDrill(sender="relay", recipient="nobody@example.org", mailbox="inbox")
