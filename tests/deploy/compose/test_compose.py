"""compose.yaml: sound by its schema, nothing missing, nothing open to others, nothing that is more than it must be."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from . import composition

FILE = composition.load()
SERVICES = FILE["services"]
FOLDER = composition.FOLDER
ROOT = composition.ROOT
BUILT = {"smtp-probe:0.1.0", "smtp-probe-mail:0.1.0"}

every_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


def yaml(path):
    return YAML(typ="safe").load(path)


def tool(name, *arguments):
    run = subprocess.run(
        [Path(sys.executable).with_name(name), *arguments], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.slow
def test_it_is_what_the_specification_asks_for():
    tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", composition.FILE)


def test_the_mail_image_is_clean_and_stands_on_the_base_of_our_own():
    recipe = FOLDER / "mail" / "Dockerfile"
    tool("hadolint", recipe)
    pattern = re.compile(r"^ARG \w+=(\S+@sha256:[0-9a-f]{64})$", re.MULTILINE)
    own = (ROOT / "deploy" / "docker" / "Dockerfile").read_text()
    assert pattern.findall(recipe.read_text()) == pattern.findall(own)


def test_everything_that_is_asked_for_is_there():
    assert set(SERVICES) == {
        *("smtp-probe", "prometheus", "alertmanager", "grafana"),
        *("credentials", "submission", "mx", "imap"),
    }


@every_service
def test_no_service_may_do_more_than_it_must(service):
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "pid", "ipc", "devices", "userns_mode"} & set(service)
    is_root = service.get("user", "0").startswith("0")
    assert is_root == (service.get("command") == ["postfix", "start-fg"]), "only Postfix asks for root"
    assert is_root == ("cap_add" in service)
    assert "SYS_ADMIN" not in service.get("cap_add", ())


@every_service
def test_ports_are_open_on_this_machine_alone(service):
    for port in service.get("ports", ()):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)
    assert ("ports" in service) == ("view" in service.get("networks", ()))


def test_the_mail_servers_have_no_way_out():
    assert FILE["networks"]["mail"] == {"internal": True}
    for name in ("submission", "mx", "imap"):
        assert SERVICES[name]["networks"] == ["mail"]
    assert SERVICES["credentials"]["network_mode"] == "none"


@every_service
def test_an_image_is_pinned_or_built_from_here(service):
    image = service["image"]
    if "build" in service:
        assert image in BUILT
        context = (FOLDER / service["build"]["context"]).resolve()
        assert (context / service["build"].get("dockerfile", "Dockerfile")).is_file()
    else:
        assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+\.\d+@sha256:[0-9a-f]{64}", image)


@every_service
def test_what_is_mounted_is_there_and_cannot_be_written(service):
    for mount in composition.mounts(service):
        if mount.is_volume:
            assert mount.source in FILE["volumes"]
        else:
            assert mount.path.exists(), mount.source
            assert not mount.is_writable
    for secret in service.get("secrets", ()):
        assert (FOLDER / FILE["secrets"][secret]["file"]).is_file()


def test_secrets_are_files_and_none_stands_here():
    assert all(set(each) == {"file"} for each in FILE["secrets"].values())
    for path in FOLDER.rglob("*"):
        if path.is_file():
            assert "PRIVATE KEY" not in path.read_text()
    for service in SERVICES.values():
        assert not [key for key in service.get("environment", {}) if re.search("PASSWORD|TOKEN|SECRET", key)]


def test_prometheus_scrapes_what_is_served_and_tells_who_listens():
    prometheus = yaml(FOLDER / "prometheus.yml")
    (scrape,) = prometheus["scrape_configs"]
    assert scrape["job_name"] == "smtp-probe", "the rules expect this name"
    for name, targets in (
        ("smtp-probe", scrape["static_configs"]),
        ("alertmanager", prometheus["alerting"]["alertmanagers"][0]["static_configs"]),
    ):
        port = SERVICES[name]["ports"][0].rpartition(":")[2]
        assert targets == [{"targets": [f"{name}:{port}"]}]
    assert "--enable-feature=exemplar-storage" in SERVICES["prometheus"]["command"]
    assert {"view"} == set.intersection(
        *(set(SERVICES[name]["networks"]) for name in ("smtp-probe", "prometheus", "alertmanager", "grafana"))
    )


def test_grafana_finds_its_data_its_dashboards_and_the_page_of_an_exemplar():
    service = SERVICES["grafana"]
    mounted = {mount.target: mount.path for mount in composition.mounts(service) if not mount.is_volume}
    provisioning = mounted["/etc/grafana/provisioning"]
    (source,) = yaml(provisioning / "datasources" / "smtp-probe.yaml")["datasources"]
    assert source["url"] == "${PROMETHEUS_URL}"
    assert service["environment"]["PROMETHEUS_URL"] == "http://prometheus:9090"
    (exemplar,) = source["jsonData"]["exemplarTraceIdDestinations"]
    assert exemplar["url"].startswith("${SMTP_PROBE_URL}/probes/")
    assert (
        f"--web.external-url={service['environment']['SMTP_PROBE_URL']}" in SERVICES["smtp-probe"]["command"]
    )
    (provider,) = yaml(provisioning / "dashboards" / "smtp-probe.yaml")["providers"]
    assert list(mounted[provider["options"]["path"]].glob("smtp-probe-*.json"))
    home = Path(service["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (mounted[str(home.parent)] / home.name).is_file()


def test_alertmanager_silences_as_the_example_does_and_sends_nothing_out():
    mine = yaml(FOLDER / "alertmanager.yml")
    assert mine["inhibit_rules"] == yaml(ROOT / "deploy" / "prometheus" / "alertmanager.yml")["inhibit_rules"]
    assert mine["receivers"] == [{"name": "nobody"}]
