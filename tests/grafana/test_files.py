"""What is committed is what the source makes, and Grafana and Kubernetes can read it."""

from __future__ import annotations

import json

import kubernetes_validate
import pytest
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from ruamel.yaml import YAML

from grafana.files import CONFIG_MAPS, generated, plain

from .boards import BOARDS, FOLDER, ROOT

PROVISIONING = ROOT / "grafana" / "provisioning"


def read(path):
    return YAML(typ="safe").load(path.read_text())


def test_the_files_are_what_make_dashboards_writes():
    files = generated()

    assert {path: path.read_text() for path in files} == files
    assert set(FOLDER.glob("*.json")) == {path for path in files if path.parent == FOLDER}


@pytest.mark.parametrize("uid", BOARDS)
def test_the_sdk_reads_a_dashboard_and_writes_it_again(uid):
    register_default_plugins()

    assert plain(Dashboard.from_json(BOARDS[uid])) == BOARDS[uid]


def test_config_maps_hold_the_dashboards():
    config_maps = json.loads(CONFIG_MAPS.read_text())["items"]

    assert len(config_maps) == len(BOARDS) == 6
    for config_map in config_maps:
        kubernetes_validate.validate(config_map, "1.30", strict=True)
        assert config_map["metadata"]["labels"]["grafana_dashboard"] == "1"
        ((name, text),) = config_map["data"].items()
        assert json.loads(text) == BOARDS[name.removesuffix(".json")]
        assert len(text) < 900_000  # the API server takes a mebibyte


def test_the_data_source_has_the_uid_and_opens_our_page_from_an_exemplar():
    (source,) = read(PROVISIONING / "datasources" / "smtp-probe.yaml")["datasources"]

    assert set(source) <= {
        "name",
        "uid",
        "type",
        "access",
        "url",
        "isDefault",
        "editable",
        "jsonData",
        "orgId",
    }
    assert source["type"] == "prometheus"
    assert source["jsonData"]["exemplarTraceIdDestinations"] == [
        {
            "name": "probe_id",
            "url": "${SMTP_PROBE_URL}/probes/$${__value.raw}",
            "urlDisplayLabel": "Open probe",
        }
    ]
    assert source["jsonData"]["timeInterval"]


def test_the_provider_lets_nobody_change_or_delete_a_dashboard():
    (provider,) = read(PROVISIONING / "dashboards" / "smtp-probe.yaml")["providers"]
    known = {
        "name",
        "orgId",
        "folder",
        "folderUid",
        "type",
        "disableDeletion",
        "allowUiUpdates",
        "updateIntervalSeconds",
    }

    assert set(provider) <= {*known, "options"}
    assert provider["disableDeletion"] is True
    assert provider["allowUiUpdates"] is False
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards/smtp-probe"
