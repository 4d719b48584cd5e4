"""What systemd is told, received on a socket as systemd makes one."""

import asyncio
import os
import socket
import time

import pytest

from smtp_probe.app.service_manager import ServiceManager


@pytest.fixture(params=["a path", "an abstract name"])
def listening(request, tmp_path):
    path = str(tmp_path / "notify")
    name = path if request.param == "a path" else f"\0smtp-probe-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(name)
        receiver.settimeout(5)
        yield receiver, name.replace("\0", "@")


def test_what_it_became_is_told(listening):
    receiver, address = listening
    manager = ServiceManager({"NOTIFY_SOCKET": address})

    manager.ready("probing 3 routes")
    before = time.monotonic_ns() // 1000
    manager.reloading()
    manager.stopping()

    assert receiver.recv(4096) == b"READY=1\nSTATUS=probing 3 routes"
    state, _, at = receiver.recv(4096).decode().partition("\nMONOTONIC_USEC=")
    assert state == "RELOADING=1"
    assert before <= int(at) <= time.monotonic_ns() // 1000
    assert receiver.recv(4096) == b"STOPPING=1"


async def test_signs_of_life_come_twice_in_a_time_out(listening):
    receiver, address = listening
    manager = ServiceManager({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "100000"})
    living = asyncio.create_task(manager.keep_alive())
    began = time.monotonic()
    signs = [await asyncio.to_thread(receiver.recv, 4096) for _ in range(4)]
    took = time.monotonic() - began
    living.cancel()

    assert signs == [b"WATCHDOG=1"] * 4
    assert took >= 0.14


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "9000000", "WATCHDOG_PID": "1"},
    ],
)
async def test_no_sign_of_life_where_none_is_asked_for(environment):
    await asyncio.wait_for(ServiceManager(environment).keep_alive(), 5)


def test_without_a_service_manager_nothing_happens():
    ServiceManager({}).ready("")


def test_one_that_is_gone_is_a_warning(tmp_path, caplog):
    ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "gone")}).stopping()

    assert "the service manager was not told" in caplog.text
