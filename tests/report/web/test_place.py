"""Where the pages are."""

import aiohttp
import pytest

from smtp_probe.errors import ConfigError
from smtp_probe.report.web.place import Place, find_place
from tests.report.web.stage import Stage


@pytest.mark.parametrize(
    ("prefix", "url", "place"),
    [
        (None, None, Place("/", "/")),
        ("", None, Place("/", "/")),
        ("probe", None, Place("/probe/", "/probe/")),
        ("/a/b/", None, Place("/a/b/", "/a/b/")),
        (None, "https://m.example.org/probe", Place("/probe/", "https://m.example.org/probe/")),
        ("/", "https://m.example.org/probe/", Place("/", "https://m.example.org/probe/")),
        (None, "http://m.example.org:8080", Place("/", "http://m.example.org:8080/")),
    ],
)
def test_prefix_and_external_url(prefix, url, place):
    assert find_place(prefix, url) == place


@pytest.mark.parametrize(
    ("prefix", "url"),
    [("/a b", None), ("/../x", None), ("/{x}", None), (None, "ftp://x/"), (None, "https:///x"), (None, "javascript:alert(1)"),
     (None, "https://u:p@x/"), (None, "https://x/?q"), (None, 'https://x/"><script>')],
)  # fmt: skip
def test_what_is_no_place(prefix, url):
    with pytest.raises(ConfigError, match="--web"):
        find_place(prefix, url)


@pytest.mark.slow
async def test_everything_is_below_the_prefix(tmp_path):
    stage = await Stage.build("failing", tmp_path)
    place = find_place(None, "https://m.example.org/probe")
    async with stage.serve(place=place) as address, aiohttp.ClientSession(f"http://{address}") as session:
        for path in (
            "/",
            "/routes/to-gmail",
            "/metrics",
            "/-/healthy",
            "/api/v1/routes",
            "/feed.atom",
            "/badge/to-gmail.svg",
        ):
            async with session.get(f"/probe{path}") as response:
                text = await response.text()
                assert response.status == 200
                assert 'href="/routes' not in text
                assert 'href="/assets' not in text
        async with session.get("/metrics") as response:
            assert response.status == 404
        for path in ("/", "/probe"):
            async with session.get(path, allow_redirects=False, headers={"Host": "evil.test"}) as response:
                assert (response.status, response.headers["Location"]) == (302, "/probe/")
        async with session.get("/probe/feed.atom") as response:
            assert "https://m.example.org/probe/probes/to-gmail-00050" in await response.text()
        async with session.get("/probe/api/v1/openapi.json") as response:
            assert (await response.json())["servers"] == [{"url": "/probe"}]
