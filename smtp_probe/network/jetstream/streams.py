"""What the engine keeps, and its bounds: two streams, three buckets, a store, and one consumer for the workers of each vantage.

In: the section `engine`. Out: definitions, as NATS' own tools take them (deploy/nats has them as files); and all of it made
in a cluster where it is not there yet. What exists is never changed: bounds are for whoever runs the cluster.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from smtp_probe.config.engine import Engine
from smtp_probe.errors import EngineError
from smtp_probe.network.jetstream.connection import JetStream
from smtp_probe.network.jetstream.names import Names

_NS = 1_000_000_000
_WINDOW_SECONDS = 120
_RUN_WAIT_SECONDS = 3
"""After so long a run that was given to a worker, and not taken, is given to another."""
_MARKS_SECONDS = 90 * 86_400
_REPORTS_SECONDS = 30 * 86_400
_LARGEST_MESSAGE = 524_288
_SHAPE = (
    "subjects",
    "retention",
    "max_msgs_per_subject",
    "allow_msg_schedules",
    "allow_msg_ttl",
    "allow_rollup_hdrs",
    "filter_subject",
    "ack_policy",
)
"""What must be as we define it: with anything else nothing would be kept, scheduled or handed out as is promised."""
OLDEST_SERVER = (2, 14)
"""The first version whose schedules repeat (ADR-51)."""


def streams(settings: Engine) -> Iterator[dict[str, Any]]:
    """The definitions of all streams; a bucket is a stream with a certain name."""
    names, replicas = Names(settings.namespace), settings.replicas
    common = {
        "num_replicas": replicas,
        "storage": "file",
        "retention": "limits",
        "discard": "old",
        "allow_direct": True,
    }
    yield {
        **common,
        "name": names.runs,
        "subjects": list(names.all_runs),
        "max_msgs_per_subject": 1,
        "max_msg_size": 4096,
        "max_bytes": 67_108_864,
        "duplicate_window": _WINDOW_SECONDS * _NS,
        "allow_msg_schedules": True,
        "allow_msg_ttl": True,
    }
    yield {
        **common,
        "name": names.events,
        "subjects": list(names.all_events),
        "max_age": round(settings.retention * _NS),
        "max_bytes": settings.max_bytes,
        "max_msg_size": _LARGEST_MESSAGE,
        "duplicate_window": _WINDOW_SECONDS * _NS,
        "compression": "s2",
    }
    bucket = {
        **common,
        "max_msgs_per_subject": 1,
        "discard": "new",
        "allow_rollup_hdrs": True,
        "deny_delete": True,
    }
    yield {
        **bucket,
        "name": f"KV_{names.leases}",
        "subjects": [f"$KV.{names.leases}.>"],
        "max_age": round(settings.lease * _NS),
        "max_bytes": 16_777_216,
        "duplicate_window": round(settings.lease * _NS),
        "storage": "memory",
    }
    yield {
        **bucket,
        "name": f"KV_{names.marks}",
        "subjects": [f"$KV.{names.marks}.>"],
        "max_age": _MARKS_SECONDS * _NS,
        "max_bytes": 67_108_864,
        "duplicate_window": _WINDOW_SECONDS * _NS,
    }
    yield {
        **bucket,
        "name": f"KV_{names.reports}",
        "subjects": [f"$KV.{names.reports}.>"],
        "discard": "old",
        "max_age": _REPORTS_SECONDS * _NS,
        "max_bytes": 67_108_864,
        "duplicate_window": _WINDOW_SECONDS * _NS,
    }
    yield _store(settings)


def _store(settings: Engine) -> dict[str, Any]:
    """The store of checkpoints: a stream of pieces and names."""
    name = Names(settings.namespace).totals
    return {
        "name": f"OBJ_{name}",
        "subjects": [f"$O.{name}.C.>", f"$O.{name}.M.>"],
        "num_replicas": settings.replicas,
        "storage": "file",
        "retention": "limits",
        "discard": "new",
        "allow_direct": True,
        "allow_rollup_hdrs": True,
        "max_age": _MARKS_SECONDS * _NS,
        "max_bytes": 268_435_456,
        "duplicate_window": _WINDOW_SECONDS * _NS,
    }


def consumers(settings: Engine) -> Iterator[dict[str, Any]]:
    """The definitions of the consumers of runs."""
    names = Names(settings.namespace)
    for vantage in settings.vantages:
        yield {
            "durable_name": names.run_consumer(vantage),
            "filter_subject": f"{settings.namespace}.run.{vantage}.>",
            "ack_policy": "explicit",
            "mem_storage": True,  # a run that is given out anew after the loss of all servers is known by its slot
            "ack_wait": _RUN_WAIT_SECONDS * _NS,
            "max_ack_pending": 20_000,
            "deliver_policy": "all",
        }


async def prepare(stream: JetStream, *, may_create: bool = True) -> None:
    """Make what is not there, or see that it is. Raises EngineError: also for a server that is too old."""
    _require_version(stream)
    settings, runs = stream.settings, stream.names.runs
    may_create = may_create and settings.creates_streams
    for definition in streams(settings):
        name = definition["name"]
        if name == f"KV_{stream.names.reports}" and not may_create:
            continue  # an engine of an older version has none until its controller is a newer one: nothing else waits for it
        await _make(stream, f"STREAM.INFO.{name}", f"STREAM.CREATE.{name}" if may_create else "", definition)
    for consumer in consumers(settings):
        name = consumer["durable_name"]
        order = f"CONSUMER.DURABLE.CREATE.{runs}.{name}" if may_create else ""
        body = {"stream_name": runs, "config": consumer}
        await _make(stream, f"CONSUMER.INFO.{runs}.{name}", order, body)


async def _make(stream: JetStream, question: str, order: str, body: dict[str, Any]) -> None:
    try:
        found = await stream.request(question, {})
    except EngineError as error:
        if "not found" not in str(error) or not order:
            raise
        await stream.request(order, body)
    else:
        _require_shape(question.rpartition(".")[2], body.get("config", body), found.get("config", {}))


def _require_shape(name: str, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """See that what exists takes what we give it; its bounds, copies and storage are for whoever runs the cluster."""
    wrong = [
        f"{key} is {json.dumps(found.get(key))} and must be {json.dumps(wanted[key])}"
        for key in _SHAPE
        if key in wanted and _plain(wanted[key]) != _plain(found.get(key))
    ]
    if wrong:
        message = f"{name} in the engine has another shape than we need (deploy/nats): {'; '.join(wrong)}"
        raise EngineError(message)


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value


def _require_version(stream: JetStream) -> None:
    version = stream.client.connected_server_version
    if (version.major, version.minor) < OLDEST_SERVER:
        message = f"nats-server {version.major}.{version.minor} has no schedules that repeat: 2.14 or newer is needed"
        raise EngineError(message)
