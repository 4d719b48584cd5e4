import json
import re
from pathlib import Path
from typing import Any

import pytest

from smtp_probe.config.document import read_document
from smtp_probe.config.endpoints import Endpoint
from smtp_probe.config.engine import EngineAuth
from smtp_probe.config.load import load
from smtp_probe.config.schema import json_schema, markdown_reference
from tests.config.test_settings import models

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "settings.md").read_text()
EXAMPLE, _ = read_document((ROOT / "deploy" / "smtp-probe.example.yaml").read_text(), "")


@pytest.fixture(scope="module")
def schema():
    return json_schema()


def sections(schema):
    return [schema, *(part for part in schema["$defs"].values() if "properties" in part)]


def check(value, rule, schema, path="file"):
    """What a validator of JSON Schema would say, for the words that this schema uses."""
    if "$ref" in rule:
        rule = schema["$defs"][rule["$ref"].rpartition("/")[2]]
    if "anyOf" in rule:
        said = [list(check(value, option, schema, path)) for option in rule["anyOf"]]
        if all(said):
            yield from min(said, key=len)
        return
    kinds: dict[str, Any] = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
    }
    kind = kinds.get(rule.get("type"), object)
    if not isinstance(value, kind if rule.get("type") != "null" else type(None)) or (
        isinstance(value, bool) and kind not in (bool, object)
    ):
        yield f"{path}: no {rule['type']}"
        return
    if "enum" in rule and value not in rule["enum"]:
        yield f"{path}: none of {rule['enum']}"
    if isinstance(value, str) and not re.search(rule.get("pattern", ""), value):
        yield f"{path}: pattern"
    if kind in (int, (int, float)) and not rule.get("minimum", value) <= value <= rule.get("maximum", value):
        yield f"{path}: range"
    if isinstance(value, list):
        for item in value:
            yield from check(item, rule["items"], schema, path)
    if isinstance(value, dict):
        yield from (f"{path}: {key} is missing" for key in rule.get("required", []) if key not in value)
        for key, item in value.items():
            rules = [rule.get("properties", {}).get(key)]
            rules += [
                below
                for pattern, below in rule.get("patternProperties", {}).items()
                if re.search(pattern, key)
            ]
            known = [below for below in rules if below is not None]
            if not known and rule["additionalProperties"] is False:
                yield f"{path}: unknown {key}"
            for below in known:
                yield from check(item, below, schema, f"{path}.{key}")


def test_it_names_its_draft_and_is_json(schema):
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.loads(json.dumps(schema)) == schema


def test_every_key_has_a_title_and_a_description_and_no_other_is_allowed(schema):
    for section in sections(schema):
        assert section["additionalProperties"] is False
        for key, setting in section["properties"].items():
            assert setting["title"], key
            assert setting["description"], key
            if "patternProperties" in setting:
                assert setting["additionalProperties"] is False


def test_every_setting_is_in_the_schema(schema):
    by_title = {section["title"]: section for section in sections(schema)}
    for model in models():
        title = {"Config": "smtp-probe"}.get(model.__name__, model.__name__)
        keys = [field.alias or name for name, field in model.model_fields.items()]
        assert list(by_title[title]["properties"]) == keys


def test_a_duration_is_a_number_or_a_text(schema):
    interval = schema["$defs"]["Route"]["properties"]["interval"]
    assert [option["type"] for option in interval["anyOf"]] == ["number", "string"]
    pattern = interval["anyOf"][1]["pattern"]
    assert all(re.search(pattern, text) for text in ("250ms", "30s", "1.5s", "5m", "1h30m", "7d"))
    assert not any(re.search(pattern, text) for text in ("", "5", "5min", "1m1h", "m"))


def test_the_example_keeps_to_the_schema(schema):
    assert list(check(EXAMPLE.plain(), schema, schema)) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("schedul", {}),
        ("routes.internal.intervall", 5),
        ("routes.internal.interval", True),
        ("routes.a b", {}),
        ("senders.outside.tls", "ssl"),
        ("senders.outside.port", "25"),
        ("senders.outside.port", 0),
        ("senders.outside.tls_options", {"verify": "no"}),
        ("mailboxes.inbox.folders", "INBOX"),
        ("mailboxes.inbox.auth", {"password": "x", "username": "u"}),
    ],
)
def test_an_editor_would_mark_what_the_program_refuses(schema, path, value):
    data = EXAMPLE.plain()
    *parts, last = path.split(".")
    section = data
    for part in parts:
        section = section[part]
    section[last] = value
    assert list(check(data, schema, schema))


# The reference for people, and the example.


def test_every_setting_is_in_the_reference():
    text = markdown_reference()
    for model in models():
        for name, field in model.model_fields.items():
            row: str = f"| `{field.alias or name}` | "
            assert row in text
            assert str(field.description) in text


def test_no_row_of_the_reference_is_torn():
    for line in markdown_reference().splitlines():
        assert line.count(" | ") in (0, 3)
        assert line == "" or line.startswith(("#", "|")) or line.endswith(".")


def test_the_docs_hold_the_reference_of_this_version():
    """When this fails: put what `smtp-probe config-schema --markdown` prints between the two marks."""
    _, _, rest = DOCS.partition("<!-- reference -->\n")
    held, _, _ = rest.partition("<!-- end of reference -->")
    assert held.strip() == markdown_reference().strip()


def test_the_smallest_file_of_the_docs_loads(tmp_path):
    text = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)[0]
    (tmp_path / "smallest.yaml").write_text(text)
    for name in ("relay.password", "inbox.password"):
        (tmp_path / name).write_text("x")
    assert load(tmp_path / "smallest.yaml", {}).routes.keys() == {"daily"}


def test_the_example_has_every_setting_at_least_once():
    def walk(value):
        if isinstance(value, dict):
            yield from value
        for below in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from walk(below)

    written = set(walk(EXAMPLE.plain()))
    known = {field.alias or name for model in models() for name, field in model.model_fields.items()}
    assert known - written == {"credentials_file"}  # a comment beside nkey_file, which excludes it


def test_every_section_of_the_example_has_all_keys_of_its_kind():
    """Not only somewhere: each setting in a section of its own kind."""
    data = EXAMPLE.plain()
    for model in models():
        name = model.__name__
        places = {
            "Config": [data],
            "Sender": data["senders"].values(),
            "Mailbox": [*data["mailboxes"].values(), dict.fromkeys(Endpoint.model_fields)],
            "Route": data["routes"].values(),
            "SmtpTimeouts": [sender.get("timeouts", {}) for sender in data["senders"].values()],
            "ImapTimeouts": [mailbox.get("timeouts", {}) for mailbox in data["mailboxes"].values()],
            "TlsOptions": [sender.get("tls_options", {}) for sender in data["senders"].values()],
            "Auth": [
                endpoint.get("auth") or {}
                for section in ("senders", "mailboxes")
                for endpoint in data[section].values()
            ],
            "StoredSecret": [
                credential.get(key) or {}
                for credential in data["credentials"].values()
                for key in ("client_secret", "refresh_token")
            ],
            "Credential": data["credentials"].values(),
            "Domain": data["domains"].values(),
            "Queue": data["queues"].values(),
            "Drills": [data["drills"]],
            "BounceDrill": data["drills"]["bounce"].values(),
            "RetryDrill": data["drills"]["retry"].values(),
            "FailoverDrill": data["drills"]["failover"].values(),
            "RejectionDrill": data["drills"]["rejection"].values(),
            "Listener": [drill["listen"] for drill in data["drills"]["retry"].values()],
            "Engine": [data["engine"]],
            "EngineTls": [data["engine"]["tls_options"]],
            "EngineAuth": [dict.fromkeys(EngineAuth.model_fields)],  # they exclude each other
            "Schedule": [data["schedule"]],
            "ResolverSettings": [data["resolver"]],
            "MetricsSettings": [data["metrics"]],
            "ClockSettings": [data["clocks"]],
        }[name]
        written = {key for place in places for key in place}
        assert {field.alias or key for key, field in model.model_fields.items()} - written == set(), name
