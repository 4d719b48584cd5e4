"""The pages, over real sockets."""

import re
from pathlib import Path

import aiohttp
import pytest

from smtp_probe.report.web.rendering import ASSETS
from tests.report.samples import make_config
from tests.report.web.stage import HOSTILE, STATES, Stage

pytestmark = pytest.mark.slow

PAGES = ("/", "/domains", "/exchangers", "/queue", "/drills", "/config")


@pytest.fixture
async def stage(request, tmp_path):
    state = getattr(request, "param", "failing")
    return await Stage.build(state, tmp_path, **{"probes": 3} if state == "many" else {})


@pytest.fixture
async def client(stage):
    async with stage.serve() as address, aiohttp.ClientSession(f"http://{address}") as session:
        yield session


async def read(client, path, status=200):
    async with client.get(path) as response:
        assert response.status == status, path
        return await response.text()


@pytest.mark.parametrize("stage", STATES, indirect=True)
async def test_every_page_in_every_state(client, stage):
    for path in PAGES:
        assert "<h1" in await read(client, path)


async def test_the_overview_says_it_in_words(client):
    page = await read(client, "/")

    assert "3 of 6 routes fail, 1 cannot be observed" in page
    assert "550 5.7.1 at RCPT by 192.0.2.1: blocked by policy" in page
    assert "login: the login was refused: NO invalid password" in page
    assert "The SPF record needs 12 DNS look-ups" in page


async def test_a_route_and_its_past(client):
    page = await read(client, "/routes/newsletter")

    assert "arrived too late, after 6 min 40 s" in page
    assert "<li>mx1.example.net</li><li>mx2.example.net</li>" in page
    assert 'href="/probes/newsletter-00050"' in page


async def test_a_probe_with_bounce_dialogue_hops_and_header(client):
    assert "550 5.1.1 user unknown" in await read(client, "/probes/newsletter-00050")
    assert "550 5.7.1 blocked by policy" in await read(client, "/probes/to-gmail-00054")
    page = await read(client, "/probes/to-gmail-00049")
    assert "4hQx5W2mz1z91" in page
    assert "Authentication-Results: store.example.org; spf=pass; dkim=pass" in page


async def test_what_is_not_there_is_said_on_a_page(client):
    assert "There is no route of this name" in await read(client, "/routes/none", 404)
    assert "There is no probe of this id" in await read(client, "/probes/none", 404)
    assert "No domain of this name" in await read(client, "/domains/none", 404)
    assert "no such file" in await read(client, "/assets/none", 404)
    assert "no route" in await read(client, "/badge/none.svg", 404)


@pytest.mark.parametrize("stage", ["empty"], indirect=True)
async def test_a_part_that_is_not_configured_says_so(client, stage):
    for part, section in (("domains", "domains"), ("exchangers", "domains"), ("queue", "queues")):
        page = await read(client, f"/{part}")
        assert "Not configured" in page
        assert f"section {section} of the configuration" in page
    assert "Nothing has been looked at yet" in await read(client, "/drills")


async def test_a_part_says_what_to_change(client):
    exchangers = await read(client, "/exchangers")
    assert "Renew it, and have the server read it." in exchangers
    assert "connect: no answer in 10 s" in exchangers
    assert "minimal_backoff_time" in await read(client, "/drills")
    assert "The queue cannot be read: permission denied." in await read(client, "/queue")
    assert "Take out two of the includes" in await read(client, "/domains/example.org")


async def test_a_journal_that_cannot_be_read_is_said_too(stage, client):
    Path(stage.path).unlink()
    page = await read(client, "/probes/to-gmail-00001", 503)

    assert "The journal cannot be read" in page


@pytest.mark.parametrize(
    "query",
    ["state=%00", "label=%3D%3D", "q=" + "x" * 900, "label=team", "state=good&state=failed", "%ff=%ff"],
)
async def test_a_filter_of_anything_is_a_page(client, query):
    await read(client, f"/?{query}")


async def test_assets_may_be_kept_for_ever(client):
    for name in ASSETS:
        async with client.get(f"/assets/{name}") as response:
            assert "immutable" in response.headers["Cache-Control"]
            assert await response.read() == ASSETS[name][0]


async def test_a_badge_may_be_shown_elsewhere_and_nothing_else(client):
    async with client.get("/badge/to-gmail.svg") as response:
        assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert response.content_type == "image/svg+xml"
    async with client.get("/") as response:
        assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("stage", ["hostile"], indirect=True)
async def test_what_guests_wrote_stands_escaped(client):
    for path in ("/", "/routes/example", "/probes/junk-00001", "/probes/example-00002", "/probes/example-00003",
                 "/probes/example-00004", "/domains", "/exchangers", "/queue", "/drills", "/feed.atom"):  # fmt: skip
        page = await read(client, path)

        assert "<script>document" not in page
        assert "<img src=x" not in page
        assert not re.search("[\u202a-\u202e\u200b\x1b\x00]", page)
    assert HOSTILE[:11] == "</textarea>"


async def test_the_feed_tells_of_changes(client):
    async with client.get("/feed.atom") as response:
        assert response.content_type == "application/atom+xml"
        assert b"to-gmail fails" in await response.read()


async def test_a_route_that_is_configured_no_more_has_no_page(stage, client):
    stage.application.config = make_config("other")

    await read(client, "/routes/to-gmail", 404)
