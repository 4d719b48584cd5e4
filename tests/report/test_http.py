"""The server, over real sockets."""

import asyncio
import gzip
import logging
import time

import aiohttp
import pytest

from smtp_probe.errors import ConfigError, ConfigProblem
from smtp_probe.report.archive import Archive
from smtp_probe.report.http import WebServer
from tests.report.golden_page import CONFIG as GOLDEN_CONFIG
from tests.report.golden_page import make_golden_telemetry
from tests.report.web.stage import StageApplication

PATHS = ("/", "/metrics", "/-/healthy", "/-/ready", "/nothing/here")


@pytest.fixture
async def application(tmp_path):
    return StageApplication(make_golden_telemetry(), GOLDEN_CONFIG, Archive(tmp_path / "journal.db"))


@pytest.fixture
async def address(application):
    server = WebServer(application, ["127.0.0.1:0"])
    (address,) = await server.start()
    yield address
    await server.stop()


@pytest.fixture
async def client(address):
    async with aiohttp.ClientSession(f"http://{address}", auto_decompress=False) as session:
        yield session


async def exchange(address, request):
    """Send raw bytes, give all that comes back until the server closes."""
    host, port = address.rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


async def test_metrics_are_served_as_they_are_asked_for(client, application):
    plain = await application.telemetry.exposition.page()
    async with client.get("/metrics", headers={"Accept-Encoding": "identity"}) as response:
        body = await response.read()
    async with client.get(
        "/metrics", headers={"Accept": "application/openmetrics-text", "Accept-Encoding": "gzip"}
    ) as response:
        packed = gzip.decompress(await response.read())

        assert response.headers["Content-Encoding"] == "gzip"
        assert response.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
        assert response.headers["Vary"] == "Accept, Accept-Encoding"
    assert body == plain.body
    assert packed.endswith(b"# EOF\n")


async def test_a_head_request_gets_the_headers_alone(client):
    async with client.head("/metrics") as response:
        assert response.status == 200
        assert int(response.headers["Content-Length"]) > 1000
        assert await response.read() == b""


async def test_healthy_is_always_so(client):
    async with client.get("/-/healthy") as response:
        assert response.status == 200


async def test_ready_is_when_the_journal_writes_and_the_mailboxes_are_watched(client, application):
    observations = application.telemetry.observations
    async with client.get("/-/ready") as response:
        assert (response.status, await response.text()) == (200, "smtp-probe is ready.\n")
    observations.mailbox_state("inbox", up=False)
    observations.journal_state(up=False)
    async with client.get("/-/ready") as response:
        assert response.status == 503
        assert "the journal cannot be written" in await response.text()
        assert "mailbox inbox is not watched" in await response.text()


@pytest.mark.parametrize(
    ("left", "sentence"),
    [(7, "7 events of the engine are still"), (None, "events of the engine are still")],
)
async def test_an_exporter_that_catches_up_says_so(client, application, left, sentence):
    application.telemetry.observations.events_to_count = left
    async with client.get("/-/ready") as response:
        assert response.status == 503
        assert (await response.text()).splitlines()[1] == f"{sentence} to be counted"


async def test_the_landing_page_is_html_in_utf_8(client):
    async with client.get("/", headers={"Accept-Encoding": "identity"}) as response:
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "Last probes" in await response.text()


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_forbids_what_a_page_does_not_need(client, path):
    async with client.get(path) as response:
        policy = response.headers["Content-Security-Policy"]

        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["Server"] == "smtp-probe"


async def test_other_paths_and_methods_are_refused(client):
    async with client.get("/nothing/here") as response:
        assert response.status == 404
    async with client.get("/-/reload") as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")
    async with client.post("/metrics") as response:
        assert response.status == 405


async def test_reload_is_for_post_and_only_where_it_is_enabled(client, application):
    async with client.post("/-/reload") as response:
        assert response.status == 200
    application.is_lifecycle_enabled = False
    async with client.post("/-/reload") as response:
        assert response.status == 403
        assert "--web.enable-lifecycle" in await response.text()
    assert application.reloads == 1


async def test_a_configuration_that_does_not_load_is_told_with_its_places(client, application):
    problem = ConfigProblem("no such sender", path="routes.example.sender", file="probe.yml", line=7)
    application.reload_error = ConfigError((problem,))
    async with client.post("/-/reload") as response:
        assert response.status == 500
        assert "probe.yml:7: routes.example.sender: no such sender" in await response.text()


async def test_another_site_cannot_have_a_browser_reload(client, application):
    async with client.post("/-/reload", headers={"Origin": "https://evil.example"}) as response:
        assert response.status == 403
    assert application.reloads == 0


async def test_a_bug_in_reloading_is_logged_and_not_shown(client, application, caplog):
    application.reload_error = RuntimeError("inner detail")
    async with client.post("/-/reload") as response:
        assert (response.status, await response.text()) == (500, "internal error\n")
    (record,) = [record for record in caplog.records if record.exc_info]

    assert record.levelno == logging.ERROR


async def test_a_reload_goes_on_when_its_client_goes_away(address, application):
    application.reload_seconds = 0.2
    host, port = address.rsplit(":", 1)
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
    await asyncio.sleep(0.05)
    writer.transport.abort()
    async with asyncio.timeout(5):
        while application.reloads == 0:
            await asyncio.sleep(0.01)

    assert application.reloads == 1


@pytest.mark.parametrize(
    ("request_bytes", "said"),
    [
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"the request is too large"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 20_000 + b"\r\n\r\n", b"the request is too large"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 50 + b"\r\n\r\n", b"this port speaks HTTP, and was asked in HTTPS"),
        (b"not http at all\r\n\r\n", b"this is no HTTP request that can be read"),
        (b"GET /api/v1/\xff<b>\x1b[31m HTTP/1.1\r\nHost: x\r\n\r\n", b"this is no HTTP request that can be read"),
        (b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n", b"this is no HTTP request that can be read"),
        (b"GET / HTTP/1.1\r\n\r\n", b"this is no HTTP request that can be read"),
    ],
    ids=["long line", "long header", "tls", "noise", "hostile", "address", "no host"],
)  # fmt: skip
async def test_what_is_no_request_of_reasonable_size_is_refused_without_a_word_in_the_log_of_bugs(
    address, request_bytes, said, caplog
):
    answer = await exchange(address, request_bytes)

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0].split()[1] == b"400"
    assert b"Server: smtp-probe" in head
    assert b"X-Content-Type-Options: nosniff" in head
    assert body == said + b"\n"
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    "ambiguous",
    [
        b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 0\r\nContent-Length: 40\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Content-Length: +5\r\n",
        b"X-Folded: a\r\n Content-Length: 5\r\n",
        b"Host: y\r\n",
        b"Content-Length : 5\r\n",
    ],
)
async def test_a_request_that_two_servers_would_read_in_two_ways_is_refused_with_what_comes_after_it(
    address, ambiguous
):
    """Behind a proxy, a second request could be hidden in it."""
    hidden = b"0\r\n\r\nGET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = await exchange(address, b"POST /-/reload HTTP/1.1\r\nHost: x\r\n" + ambiguous + b"\r\n" + hidden)

    assert answer.split(b"\r\n")[0].split()[1] == b"400"
    assert answer.count(b"HTTP/1.") == 1
    assert b"healthy" not in answer.partition(b"\r\n\r\n")[0]


async def test_the_host_of_a_request_changes_nothing(address):
    answers = {
        (await exchange(address, b"GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % host))
        .split(b"\r\n\r\n", 1)[1]
        for host in (b"localhost", b"evil.example")
    }  # fmt: skip

    assert len(answers) == 1
    assert b"evil" not in answers.pop()


async def test_a_client_that_goes_away_during_a_page_is_no_error(address, caplog):
    host, port = address.rsplit(":", 1)
    for _ in range(5):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
        await asyncio.sleep(0.01)
        writer.transport.abort()
    await asyncio.sleep(0.2)
    answer = await exchange(address, b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert b" 200 " in answer.split(b"\r\n")[0]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_too_many_scrapes_at_once_are_told_to_come_back(client, application):
    lock = application.telemetry.exposition._lock
    async with lock:
        waiting = [asyncio.create_task(_status(client)) for _ in range(30)]
        await asyncio.wait(waiting, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        async with asyncio.timeout(5):
            while sum(task.done() for task in waiting) < 10:
                await asyncio.sleep(0.01)
    statuses = sorted([await task for task in waiting])

    assert statuses == [200] * 20 + [503] * 10


async def _status(client):
    async with client.get("/metrics") as response:
        await response.read()
        return response.status


async def test_several_addresses_answer_alike(application):
    server = WebServer(application, ["127.0.0.1:0", "[::1]:0", ":0"])
    addresses = await server.start()
    try:
        async with aiohttp.ClientSession() as session:
            for address in addresses:
                async with session.get(f"http://{address}/-/healthy") as response:
                    assert response.status == 200
    finally:
        await server.stop()

    assert addresses[0].startswith("127.0.0.1:")
    assert addresses[1].startswith("[::1]:")
    assert len({address.rsplit(":", 1)[1] for address in addresses}) == 3


async def test_an_address_that_is_taken_leaves_none_open(address, application):
    server = WebServer(application, ["127.0.0.1:0", address])
    with pytest.raises(ConfigError, match="in use"):
        await server.start()
    await server.stop()


@pytest.mark.slow
async def test_stopping_takes_two_seconds_at_most_whatever_clients_do(application):
    server = WebServer(application, ["127.0.0.1:0"])
    (address,) = await server.start()
    host, port = address.rsplit(":", 1)
    application.reload_seconds = 60.0
    idle = await asyncio.open_connection(host, int(port))
    half = await asyncio.open_connection(host, int(port))
    half[1].write(b"GET / HTTP/1.1\r\nHost:")
    busy = await asyncio.open_connection(host, int(port))
    busy[1].write(b"POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
    await asyncio.sleep(0.1)
    begun = time.perf_counter()
    await server.stop()
    took = time.perf_counter() - begun
    for _, writer in (idle, half, busy):
        writer.close()

    assert took < 2.0
    with pytest.raises(OSError, match="[Cc]onnect"):
        await asyncio.open_connection(host, int(port))
