"""The API: every answer is held against its description."""

import aiohttp
import jsonschema
import pytest

from smtp_probe.report.web.openapi import describe_api
from tests.report.web.stage import STATES, Stage

pytestmark = pytest.mark.slow

EXAMPLES = {
    "healthy": {"{name}": "to-gmail", "{probe_id}": "to-gmail-00060"},
    "failing": {"{name}": "newsletter", "{probe_id}": "newsletter-00050"},
    "empty": {"{name}": "example", "{probe_id}": "none"},
    "hostile": {"{name}": "junk", "{probe_id}": "junk-00001"},
    "many": {"{name}": "route-0000-to-a-provider", "{probe_id}": "none"},
}
DESCRIPTION = describe_api()


@pytest.fixture
async def stage(request, tmp_path):
    state = getattr(request, "param", "failing")
    return await Stage.build(state, tmp_path, **{"probes": 3} if state == "many" else {})


@pytest.fixture
async def client(stage):
    async with stage.serve() as address, aiohttp.ClientSession(f"http://{address}") as session:
        yield session


def check(path, method, status, body):
    """Hold one answer against the description. Raises where it is not as described."""
    response = DESCRIPTION["paths"][path][method]["responses"][str(status)]
    schema = response["content"]["application/json"]["schema"]
    # `$ref` counts from the root of the document, so the schema is read as a part of it.
    jsonschema.Draft202012Validator(DESCRIPTION | schema).validate(body)


@pytest.mark.parametrize("stage", STATES, indirect=True)
async def test_every_answer_is_as_described(request, stage, client):
    state = request.node.callspec.params["stage"]
    for path in DESCRIPTION["paths"]:
        if path.endswith("/probe"):
            continue
        asked = path
        for name, value in EXAMPLES[state].items():
            if not path.startswith("/api/v1/domains/"):
                asked = asked.replace(name, value)
        async with client.get(asked.replace("{name}", "example.org")) as response:
            check(path, "get", response.status, await response.json())


async def test_the_description_is_served_with_where_it_holds(client):
    async with client.get("/api/v1/openapi.json") as response:
        assert (await response.json())["servers"] == [{"url": "/"}]


@pytest.mark.parametrize("path", ["", "route", "routes/", "probes/a/b", "overview/"])
async def test_a_path_that_is_not_there_is_told_as_all_else_is(client, path):
    async with client.get(f"/api/v1/{path}") as response:
        assert response.status == 404
        assert "/api/v1/openapi.json" in (await response.json())["error"]


async def test_the_same_facts_as_on_the_pages(client):
    async with client.get("/api/v1/routes?state=failed") as response:
        routes = {route["name"]: route for route in await response.json()}
    async with client.get("/api/v1/probes/newsletter-00050") as response:
        probe = await response.json()

    assert set(routes) == {"to-gmail", "newsletter", "backup-mx"}
    assert routes["to-gmail"]["last_failure"]["kind"] == "refused"
    assert probe["bounce"]["status"] == "5.1.1"
    assert probe["delivery_seconds"] is None


async def test_the_configuration_is_masked(client):
    async with client.get("/api/v1/config") as response:
        assert (await response.json())["senders"]["relay"]["auth"]["password_env"] == "<secret>"


async def test_a_probe_is_sent_on_a_configured_route_and_on_no_other(stage, client):
    async with client.post("/api/v1/routes/to-gmail/probe") as response:
        check("/api/v1/routes/{name}/probe", "post", response.status, await response.json())
        assert response.status == 202
    async with client.post("/api/v1/routes/192.0.2.1/probe") as response:
        check("/api/v1/routes/{name}/probe", "post", response.status, await response.json())
        assert response.status == 404
    assert stage.application.asked == ["to-gmail"]


async def test_no_probe_without_the_lifecycle(stage, client):
    stage.application.is_lifecycle_enabled = False
    async with client.post("/api/v1/routes/to-gmail/probe") as response:
        check("/api/v1/routes/{name}/probe", "post", response.status, await response.json())
        assert response.status == 403
    assert stage.application.asked == []


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-origin"}]
)  # fmt: skip
async def test_no_probe_for_a_web_page(stage, client, headers):
    async with client.post("/api/v1/routes/to-gmail/probe", headers=headers) as response:
        assert response.status == 403
    assert stage.application.asked == []


async def test_no_probe_by_following_a_link(stage, client):
    async with client.get("/api/v1/routes/to-gmail/probe") as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")
        assert (await response.json())["error"] == "Method Not Allowed"
    assert stage.application.asked == []


async def test_no_more_probes_than_so_many(stage, client):
    statuses = []
    for _ in range(8):
        async with client.post("/api/v1/routes/to-gmail/probe") as response:
            check("/api/v1/routes/{name}/probe", "post", response.status, await response.json())
            statuses.append(response.status)
            if response.status == 429:
                assert int(response.headers["Retry-After"]) > 0
    assert statuses == [202] * 5 + [429] * 3
    assert len(stage.application.asked) == 5


async def test_a_budget_that_is_spent_is_told(stage, client):
    stage.application.refusal = "busy"
    async with client.post("/api/v1/routes/to-gmail/probe") as response:
        check("/api/v1/routes/{name}/probe", "post", response.status, await response.json())
        assert (response.status, await response.json()) == (409, {"error": "not sent: busy"})


async def test_a_body_is_not_read(stage, client):
    async with client.post("/api/v1/routes/to-gmail/probe", json={"host": "evil.example"}) as response:
        assert response.status == 202
    assert stage.application.asked == ["to-gmail"]
