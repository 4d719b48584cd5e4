"""Writes the definitions of streams and consumers into deploy/nats, as NATS' own tools take them.

After a change of smtp_probe/network/jetstream/streams.py: `python -m tests.deploy.nats_definitions`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from smtp_probe.config.engine import Engine
from smtp_probe.network.jetstream.streams import consumers, streams

FOLDER = Path(__file__).parents[2] / "deploy" / "nats"
SETTINGS = Engine(servers=("tls://nats-1.example.org:4222",))


def definitions() -> Iterator[tuple[str, str]]:
    """The name of each file, and what is to stand in it."""
    for each in streams(SETTINGS):
        yield f"stream-{each['name']}.json", json.dumps(each, indent=2) + "\n"
    for each in consumers(SETTINGS):
        yield f"consumer-{each['durable_name']}.json", json.dumps(each, indent=2) + "\n"


if __name__ == "__main__":
    for name, text in definitions():
        (FOLDER / name).write_text(text)
