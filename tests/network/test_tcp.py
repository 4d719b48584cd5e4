"""TCP connections: which failure is told, and when the kernel has taken everything."""

from __future__ import annotations

import asyncio
import errno
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from smtp_probe.errors import ProbeError
from smtp_probe.model import Cause
from smtp_probe.network.tcp import PromptSocket, connect_tcp


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def _soon(seconds: float = 0.3) -> float:
    return asyncio.get_running_loop().time() + seconds


async def test_first_address_that_answers_is_used(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    addresses = ["::1", "127.0.0.9", "127.0.0.1"]
    with await connect_tcp(addresses, port, source_address=None, deadline=_soon()) as connection:
        assert connection.getpeername()[0] == "127.0.0.1"
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert not connection.getblocking()


async def test_addresses_of_another_family_than_the_source_are_left_out(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    connection = await connect_tcp(["::1", "127.0.0.1"], port, source_address="127.0.0.8", deadline=_soon())
    with connection:
        assert connection.getsockname()[0] == "127.0.0.8"


@pytest.mark.parametrize(
    ("addresses", "source", "cause"),
    [
        (["127.0.0.1"], None, Cause.CONNECT_REFUSED),
        (["127.0.0.1"], "192.0.2.1", Cause.LOCAL_ADDRESS),
        (["127.0.0.1"], "::1", Cause.LOCAL_ADDRESS),
        (["127.0.0.1"], "nonsense", Cause.LOCAL_ADDRESS),
        (["255.255.255.255", "127.0.0.1"], None, Cause.CONNECT_REFUSED),
    ],
)
async def test_the_most_telling_failure_is_told(
    addresses: list[str], source: str | None, cause: Cause
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ProbeError) as caught:
        await connect_tcp(addresses, port, source_address=source, deadline=_soon())
    assert caught.value.cause is cause
    assert caught.value.stage == "connect"


async def test_deadline_that_has_passed_is_a_timeout(listener: socket.socket) -> None:
    with pytest.raises(ProbeError) as caught:
        await connect_tcp(["127.0.0.1"] * 3, 9, source_address="127.0.0.1", deadline=_soon(-1))
    assert caught.value.cause in (Cause.CONNECT_TIMEOUT, Cause.CONNECT_REFUSED)


async def test_cancellation_closes_the_socket(listener: socket.socket) -> None:
    task = asyncio.create_task(
        connect_tcp(["127.0.0.1"], listener.getsockname()[1], source_address=None, deadline=_soon())
    )
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def _pair(listener: socket.socket) -> tuple[PromptSocket, socket.socket]:
    ours = PromptSocket(socket.AF_INET)
    ours.setblocking(True)
    ours.connect(listener.getsockname())
    ours.setblocking(False)
    theirs, _ = listener.accept()
    return ours, theirs


def test_handing_over_is_told_once_when_nothing_is_left_over(listener: socket.socket) -> None:
    ours, theirs = _pair(listener)
    told: list[int] = []
    with ours, theirs:
        ours.on_handed_over = lambda: told.append(1)
        large = bytes(1 << 24)
        taken = ours.send(large)
        assert taken < len(large)
        assert told == []
        assert ours.on_handed_over is not None
        theirs.settimeout(1)
        while taken:
            taken -= len(theirs.recv(1 << 20))
        assert ours.sendmsg([b"last ", b"piece"]) == 10
        ours.send(b"more")
        assert told == [1]


def test_reading_and_acknowledging_a_dead_connection_raises_nothing_of_its_own(
    listener: socket.socket,
) -> None:
    ours, theirs = _pair(listener)
    theirs.close()
    with ours:
        ours.setblocking(True)
        assert ours.recv(10) == b""
        assert ours.recv_into(bytearray(10)) == 0
    ours.acknowledge_at_once()


async def test_no_route_from_this_machine_is_told_from_a_network_that_is_unreachable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(PromptSocket, "connect_ex", lambda _self, _address: errno.ENETUNREACH)
    with pytest.raises(ProbeError) as caught:
        await connect_tcp(["192.0.2.1"], 25, source_address=None, deadline=_soon())

    assert caught.value.cause is Cause.NO_ROUTE
    assert caught.value.detail == "192.0.2.1: Network is unreachable, on this machine"


@pytest.mark.lab
def test_a_machine_without_a_network_says_so() -> None:
    script = """
import asyncio
from smtp_probe.errors import ProbeError
from smtp_probe.network.tcp import connect_tcp
async def main():
    try:
        await connect_tcp(["192.0.2.1"], 25, source_address=None, deadline=asyncio.get_running_loop().time() + 5)
    except ProbeError as error:
        print(error.cause)
asyncio.run(main())
"""
    command = ["unshare", "--net", sys.executable, "-c", script]
    assert subprocess.check_output(command, text=True, timeout=30) == "no_route\n"
