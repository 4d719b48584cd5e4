"""The streams: bounded in every way, made once, and only on a server that can repeat schedules."""

import pytest

from smtp_probe.config.engine import Engine
from smtp_probe.errors import EngineError
from smtp_probe.network.jetstream import streams as module
from smtp_probe.network.jetstream.streams import consumers, prepare, streams

SETTINGS = Engine(servers=("nats://127.0.0.1:4222",), vantages=("fra", "nyc"), vantage="fra")


def test_everything_is_bounded_and_replicated():
    for definition in streams(SETTINGS):
        assert definition["max_bytes"] > 0
        assert definition["num_replicas"] == 3
        assert definition.get("max_age") or definition["max_msgs_per_subject"] == 1


def test_the_workers_of_each_vantage_share_a_consumer():
    assert [each["filter_subject"] for each in consumers(SETTINGS)] == [
        "smtp-probe.run.fra.>", "smtp-probe.run.nyc.>",
    ]  # fmt: skip


@pytest.mark.lab
async def test_what_exists_is_left_as_it_is(stream):
    await stream.request(
        f"STREAM.UPDATE.{stream.names.events}",
        {
            **next(each for each in streams(stream.settings) if each["name"] == stream.names.events),
            "max_age": 7200 * 10**9,
        },
    )

    await prepare(stream)

    config = (await stream.request(f"STREAM.INFO.{stream.names.events}", {}))["config"]
    assert config["max_age"] == 7200 * 10**9
    runs = (await stream.request(f"STREAM.INFO.{stream.names.runs}", {}))["config"]
    assert runs["allow_msg_schedules"]


@pytest.mark.lab
async def test_a_server_that_is_too_old_is_refused(stream, monkeypatch):
    monkeypatch.setattr(module, "OLDEST_SERVER", (99, 0))

    with pytest.raises(EngineError, match=r"2\.15 has no schedules that repeat"):
        await prepare(stream)


@pytest.mark.lab
async def test_an_engine_of_an_older_version_is_good_for_who_makes_nothing(stream):
    await stream.request(f"STREAM.DELETE.KV_{stream.names.reports}", {})

    await prepare(stream, may_create=False)
    with pytest.raises(EngineError, match="not found"):
        await stream.request(f"STREAM.INFO.KV_{stream.names.reports}", {})

    await prepare(stream)
    await stream.request(f"STREAM.INFO.KV_{stream.names.reports}", {})


@pytest.mark.lab
@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        ("RUNS", {"allow_msg_schedules": False}, "allow_msg_schedules is (false|null) and must be true"),
        ("EVENTS", {"subjects": ["elsewhere.>"]}, r'subjects is \["elsewhere.>"\] and must be'),
    ],
)
async def test_a_stream_of_another_shape_is_told_by_name_and_by_what_is_wrong(stream, kind, change, words):
    name = {"RUNS": stream.names.runs, "EVENTS": stream.names.events}[kind]
    definition = next(each for each in streams(stream.settings) if each["name"] == name)
    await stream.request(f"STREAM.DELETE.{name}", {})
    await stream.request(f"STREAM.CREATE.{name}", {**definition, **change})

    with pytest.raises(EngineError, match=f"{name} in the engine has another shape.*{words}"):
        await prepare(stream)
