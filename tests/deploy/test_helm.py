"""The Helm chart: ten sets of values rendered by Helm's own code, validated against the schemas of Kubernetes and of the
Prometheus operator, and asserted on. No cluster is at hand: what a pod would run is run here, with the paths moved."""

import itertools
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from smtp_probe.config.load import load
from smtp_probe.config.settings import Config
from tests.acceptance.daemon import free_port
from tests.deploy.chart_values import CONFIG, GROUP, SETS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm"
OPERATOR = {"ServiceMonitor", "PodMonitor", "PrometheusRule"}
MODELS = "cloudcoil.models.prometheus_operator.v1"
"""Takes seconds to import: not where tests are collected."""
KUBERNETES = ("1.29", "1.33")


def render(values):
    """The objects by kind and name, and the notes. Who asks again is given the same: nobody may change them."""
    return _render(json.dumps(values))


@cache
def _render(values):
    with helm_python.Chart.load(CHART) as chart:
        texts = chart.render(json.loads(values), name="mail", namespace="monitoring")
    notes = texts.pop("smtp-probe/templates/NOTES.txt")
    yaml = YAML(typ="safe")
    objects = [each for text in texts.values() for each in yaml.load_all(text) if each]
    names = [(each["kind"], each["metadata"]["name"]) for each in objects]
    assert len(names) == len(set(names))
    return {name: each for name, each in zip(names, objects, strict=True)}, notes


def only(objects, kind):
    [found] = [each for (known, _), each in objects.items() if known == kind]
    return found


def pod_of(objects):
    return only(objects, "StatefulSet")["spec"]["template"]["spec"]


def container_of(objects):
    return pod_of(objects)["containers"][0]


@pytest.mark.parametrize("values", SETS.values(), ids=SETS)
def test_every_set_is_sound_for_helm_and_for_the_schemas(values):
    operator = import_module(MODELS)
    found = helm_python.lint(CHART, values, strict=True)
    assert [each["error"] for each in found["messages"]] == ["icon is recommended"]
    objects, _ = render(values)
    for (kind, _), each in objects.items():
        if kind in OPERATOR:
            getattr(operator, kind).model_validate(each)
        elif kind != "HTTPRoute":  # of the Gateway API, which publishes no schema that is at hand
            for version in KUBERNETES:
                kubernetes_validate.validate(each, version, strict=True)


@pytest.mark.parametrize("values", SETS.values(), ids=SETS)
def test_no_pod_may_do_more_than_it_must(values):
    objects, _ = render(values)
    pod, container = pod_of(objects), container_of(objects)
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    for (kind, _), each in objects.items():
        assert kind not in {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "Secret"}
        if kind == "ServiceAccount":
            assert each["automountServiceAccountToken"] is False


@pytest.mark.parametrize("values", SETS.values(), ids=SETS)
def test_services_find_the_pods_and_volumes_exist(values):
    objects, _ = render(values)
    stateful = only(objects, "StatefulSet")["spec"]
    labels = stateful["template"]["metadata"]["labels"].items()
    assert stateful["selector"]["matchLabels"].items() <= labels
    services = [each for (kind, _), each in objects.items() if kind == "Service"]
    assert len(services) == 2
    for service in services:
        assert service["spec"]["selector"].items() <= labels
    assert stateful["serviceName"] in {each["metadata"]["name"] for each in services}
    pod = stateful["template"]["spec"]
    volumes = {each["name"] for each in pod["volumes"]}
    volumes |= {each["metadata"]["name"] for each in stateful.get("volumeClaimTemplates", [])}
    assert {each["name"] for each in pod["containers"][0]["volumeMounts"]} == volumes


def test_shards_are_told_by_the_ordinal_and_share_a_key():
    objects, notes = render(SETS["sharded"])
    container = container_of(objects)
    assert only(objects, "StatefulSet")["spec"]["replicas"] == 3
    assert "--shard=auto/3" in container["args"]
    environment = {each["name"]: each["value"] for each in container["env"]}
    assert environment["SMTP_PROBE__TAG_KEY_FILES"] == "[/etc/smtp-probe/secrets/tag-key/tag.key]"
    mounts = [each["mountPath"] for each in container["volumeMounts"]]
    assert [each for each in mounts if "/secrets/" in each] == [
        "/etc/smtp-probe/secrets/accounts",
        "/etc/smtp-probe/secrets/tag-key",
    ]
    assert "WARNING" not in notes
    assert "without tagKeySecret" in render({"config": CONFIG, "shards": 2})[1]


def merge(values: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
    """Put two files of values together as Helm does: maps key by key."""
    both = {
        key: merge(values[key], others[key])
        for key in values.keys() & others.keys()
        if isinstance(values[key], dict)
    }
    return {**values, **others, **both}


@pytest.mark.parametrize("role", ["controller", "worker", "watcher", "exporter", "checker"])
def test_the_examples_of_the_engine_make_pods_of_each_role(role):
    values: dict[str, Any] = {}
    for name in ("common", role):
        path = ROOT / "deploy" / "nats" / "helm" / f"{name}.yaml"
        values = merge(values, YAML(typ="safe").load(path.read_text()))
    objects, notes = render(values)
    stateful = only(objects, "StatefulSet")["spec"]
    arguments = container_of(objects)["args"]

    assert f"--role={role}" in arguments
    assert not any(argument.startswith("--shard") for argument in arguments)
    assert stateful["replicas"] == values["replicas"]
    assert bool(stateful.get("volumeClaimTemplates")) == (role == "exporter")
    assert container_of(objects)["readinessProbe"]["httpGet"]["path"] == "/-/ready"
    assert only(objects, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    [spread] = pod_of(objects)["topologySpreadConstraints"]
    pod_labels = stateful["template"]["metadata"]["labels"]
    assert spread["labelSelector"]["matchLabels"].items() <= pod_labels.items()
    assert set(spread["matchLabelKeys"]) <= pod_labels.keys()
    assert "WARNING" not in notes
    assert "smtp-probe probe ROUTE" not in notes  # of a process that has a part of the work
    assert ("shown by the exporters" in notes) == (role != "exporter")
    for each in objects.values():
        if each["kind"] in ("StatefulSet", "PodDisruptionBudget"):
            for version in KUBERNETES:
                kubernetes_validate.validate(each, version, strict=True)
    engine = Config.model_validate(values["config"]).engine
    assert engine is not None
    assert engine.auth is not None
    assert str(engine.auth.nkey_file).endswith(f"/{role}.nk")  # each has the rights of its own user


@pytest.mark.parametrize(
    ("kind", "endpoints"), [("serviceMonitor", "endpoints"), ("podMonitor", "podMetricsEndpoints")]
)
def test_the_samples_bear_the_job_by_which_the_rules_know_them(kind, endpoints):
    own = {"targetLabel": "cluster", "replacement": "one"}
    objects, _ = render(
        {"config": CONFIG, kind: {"enabled": True, "relabelings": [own]}, "nameOverride": "x"}
    )
    [endpoint] = only(objects, kind[0].upper() + kind[1:])["spec"][endpoints]
    rules = (ROOT / "deploy" / "prometheus" / "rules" / "smtp-probe-alerts.yml").read_text()

    assert endpoint["relabelings"] == [{"targetLabel": "job", "replacement": "smtp-probe"}, own]
    assert 'absent(up{job="smtp-probe"} == 1)' in rules


def test_a_role_without_a_key_that_is_shared_is_refused():
    with pytest.raises(Exception, match="must share their signing key"):
        render({"config": CONFIG, "role": "worker"})


def test_no_volume_is_told_to_lose_what_is_on_its_way():
    objects, notes = render(SETS["config from a map"])
    assert "volumeClaimTemplates" not in only(objects, "StatefulSet")["spec"]
    assert "forgets the probes" in notes


@pytest.mark.parametrize("name", ["config from a secret", "config from a map"])
def test_a_configuration_that_exists_is_mounted_and_no_other_made(name):
    objects, _ = render(SETS[name])
    assert not [kind for kind, _ in objects if kind == "ConfigMap"]
    [volume] = [each for each in pod_of(objects)["volumes"] if each["name"] == "config"]
    source = volume.get("secret") or volume["configMap"]
    assert "probe-config" in source.values()
    assert [each["path"] for each in source["items"]] == ["smtp-probe.yaml"]


def test_the_service_monitor_finds_one_service_and_the_path_of_its_metrics():
    objects, _ = render(SETS["scraped by service"] | {"web": {"externalUrl": "https://x.example.org/mail"}})
    monitor = only(objects, "ServiceMonitor")
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    services = [each for (kind, _), each in objects.items() if kind == "Service"]
    assert len([each for each in services if wanted <= each["metadata"]["labels"].items()]) == 1
    [endpoint] = monitor["spec"]["endpoints"]
    assert (endpoint["path"], endpoint["interval"]) == ("/mail/metrics", "15s")


def test_the_pod_monitor_uses_the_settings_of_its_own():
    [endpoint] = only(render(SETS["scraped by pod, over TLS"])[0], "PodMonitor")["spec"][
        "podMetricsEndpoints"
    ]
    assert (endpoint["scheme"], endpoint["tlsConfig"]) == ("https", {"insecureSkipVerify": True})


def test_rules_are_those_of_the_repository_and_of_the_administrator():
    own = [
        each
        for path in sorted(CHART.glob("files/rules/*.yml"))
        for each in YAML(typ="safe").load(path)["groups"]
    ]
    rules = only(render(SETS["scraped by service"])[0], "PrometheusRule")
    assert rules["spec"]["groups"] == [*own, GROUP]


def test_alerts_can_be_left_out_and_labelled():
    shipped = [
        rule["alert"]
        for path in CHART.glob("files/rules/*.yml")
        for group in YAML(typ="safe").load(path)["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]
    if not shipped:
        with pytest.raises(helm_python.HelmRenderError, match="no rules"):
            render({"config": CONFIG, "prometheusRule": {"enabled": True}})
        return
    terms = {"enabled": True, "disabledAlerts": shipped[:1], "additionalAlertLabels": {"team": "mail"}}
    groups = only(render({"config": CONFIG, "prometheusRule": terms})[0], "PrometheusRule")["spec"]["groups"]
    alerts = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    assert sorted(each["alert"] for each in alerts) == sorted(shipped[1:])
    assert {each["labels"]["team"] for each in alerts} == {"mail"}


def test_dashboards_are_for_the_sidecar_and_equal_the_files():
    objects, _ = render(SETS["behind a gateway"])
    maps = [
        each
        for (kind, _), each in objects.items()
        if kind == "ConfigMap" and "smtp-probe.yaml" not in each["data"]
    ]
    files = {path.name: path.read_text() for path in CHART.glob("files/dashboards/*.json")}
    found = dict(itertools.chain.from_iterable(each["data"].items() for each in maps))
    assert {name: json.loads(text) for name, text in found.items()} == {
        name: json.loads(text) for name, text in files.items()
    }
    for each in maps:
        assert each["metadata"]["namespace"] == "grafana"
        assert each["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_the_fence_lets_mail_and_names_through():
    spec = only(render(SETS["fenced in"])[0], "NetworkPolicy")["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    ports = {(each["port"], each["protocol"]) for rule in spec["egress"] for each in rule["ports"]}
    assert ports >= {(port, "TCP") for port in (25, 465, 587, 993, 143, 53)} | {(53, "UDP"), (8080, "TCP")}
    [entry] = spec["ingress"]
    assert entry["from"] == [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}]


def test_a_prefix_of_the_pages_is_that_of_the_probes():
    objects, _ = render(SETS["behind an ingress"])
    container = container_of(objects)
    assert container["livenessProbe"]["httpGet"]["path"] == "/mail/-/healthy"
    [rule] = only(objects, "Ingress")["spec"]["rules"]
    [path] = rule["http"]["paths"]
    assert (path["path"], path["backend"]["service"]["name"]) == ("/mail", "mail-smtp-probe")
    assert "--web.enable-lifecycle" in container["args"]


def test_the_route_of_a_gateway_leads_to_the_service():
    objects, _ = render(SETS["behind a gateway"])
    spec = only(objects, "HTTPRoute")["spec"]
    assert spec["parentRefs"] == [{"name": "public"}]
    [backend] = spec["rules"][0]["backendRefs"]
    assert objects["Service", backend["name"]]["spec"]["ports"][0]["port"] == backend["port"]


def test_what_is_extra_is_there():
    objects, _ = render(SETS["everything else"])
    pod, container = pod_of(objects), container_of(objects)
    assert container["image"] == f"r.example.org/p@sha256:{'a' * 64}"
    assert [each["name"] for each in pod["containers"]] == ["smtp-probe", "side"]
    assert [each["name"] for each in pod["initContainers"]] == ["wait"]
    assert container["args"][-1] == "--web.listen-address=:9999"
    assert container["readinessProbe"]["httpGet"]["path"] == "/-/ready"
    assert pod["serviceAccountName"] == "default"
    assert {("ConfigMap", "x"), ("ConfigMap", "mail-y")} <= set(objects)
    assert only(objects, "StatefulSet")["metadata"]["labels"]["team"] == "mail"


@pytest.mark.parametrize(
    "values",
    [
        {"config": CONFIG, "shard": 3},
        {"config": CONFIG, "shards": 0},
        {"config": CONFIG, "service": {"ports": 1}},
        {"config": CONFIG, "log": {"level": "loud"}},
        {"config": CONFIG, "serviceMonitor": {"interval": "soon"}},
        {"config": CONFIG, "image": {"digest": "latest"}},
        {"config": CONFIG, "networkPolicy": {"egressPorts": ["smtp"]}},
        {},
        {"config": CONFIG, "existingConfigMap": {"name": "x"}},
        {"config": CONFIG, "ingress": {"enabled": True}},
        {"config": CONFIG, "gatewayRoute": {"enabled": True}},
    ],
    ids=lambda values: json.dumps({key: values[key] for key in values if key != "config"}),
)
def test_values_that_mean_nothing_are_refused(values):
    with pytest.raises(helm_python.HelmError), helm_python.Chart.load(CHART) as chart:
        chart.validate_schema(values)
        chart.render(values, name="mail", namespace="monitoring")


def test_the_schema_knows_every_value_and_every_section_is_closed():
    def compare(section, schema, path):
        assert schema["additionalProperties"] is False, path
        assert set(section) == set(schema["properties"]) - {"global"}, path
        for key, value in section.items():
            if "properties" in schema["properties"][key]:
                compare(value, schema["properties"][key], f"{path}.{key}")

    values = YAML(typ="safe").load(CHART / "values.yaml")
    compare(values, json.loads((CHART / "values.schema.json").read_text()), "values")


def test_the_version_is_that_of_the_program():
    import smtp_probe

    assert YAML(typ="safe").load(CHART / "Chart.yaml")["appVersion"] == smtp_probe.__version__


@pytest.mark.parametrize(
    ("source", "copy", "ending"),
    [("deploy/prometheus/rules", "rules", "yml"), ("grafana/dashboards", "dashboards", "json")],
)
def test_copies_in_the_chart_equal_what_they_are_copied_from(source, copy, ending):
    """A difference is mended by: sh deploy/helm/copy.sh"""
    wanted = {path.name: path.read_text() for path in ROOT.joinpath(source).glob(f"*.{ending}")}
    assert {path.name: path.read_text() for path in CHART.glob(f"files/{copy}/*")} == wanted


@pytest.mark.slow
def test_what_a_pod_would_run_runs_and_is_alive_where_kubernetes_asks(tmp_path):
    """The arguments, the environment, the configuration and the probe of the chart, with `/` moved to a folder."""
    values = {**SETS["behind an ingress"], "secrets": ["accounts"]}
    objects, _ = render(values)
    container, port = container_of(objects), free_port()
    config = tmp_path / "etc/smtp-probe/config/smtp-probe.yaml"
    config.parent.mkdir(parents=True)
    text = only(objects, "ConfigMap")["data"]["smtp-probe.yaml"]
    config.write_text(text.replace("/etc/", f"{tmp_path}/etc/"))
    password = tmp_path / "etc/smtp-probe/secrets/accounts/relay"
    password.parent.mkdir(parents=True)
    password.write_text("secret\n")
    password.chmod(0o440)
    (tmp_path / "var/lib/smtp-probe").mkdir(parents=True, mode=0o777)  # as an emptyDir is
    moves = {"=/etc/": f"={tmp_path}/etc/", ":10925": f"127.0.0.1:{port}", "auto/": "0/"}
    arguments = container["args"]
    for old, new in moves.items():
        arguments = [each.replace(old, new) for each in arguments]
    environment = {
        each["name"]: each["value"].replace("/var/", f"{tmp_path}/var/") for each in container["env"]
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "smtp_probe", *arguments], env=os.environ | environment, cwd=ROOT
    )
    try:
        url = f"http://127.0.0.1:{port}{container['livenessProbe']['httpGet']['path']}"
        assert wait_for(url, process) == 200
        assert tmp_path.joinpath("var/lib/smtp-probe/state").stat().st_mode & 0o777 == 0o700
    finally:
        process.terminate()
        assert process.wait(20) == 0


def wait_for(url, process):
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            time.sleep(0.1)
    return None


def test_the_values_in_the_guide_are_sound_and_their_configuration_loads(tmp_path):
    guide = CHART.joinpath("README.md").read_text()
    values = YAML(typ="safe").load(guide[guide.index("# my-values.yaml") : guide.index("```\n\n- **Shards")])
    objects, _ = render(values)
    secrets = tmp_path / "accounts"
    secrets.mkdir()
    for name in ("relay", "inbox"):
        secrets.joinpath(name).write_text("secret\n")
    text = only(objects, "ConfigMap")["data"]["smtp-probe.yaml"]
    path = tmp_path / "smtp-probe.yaml"
    path.write_text(text.replace("/etc/smtp-probe/secrets", str(tmp_path)))
    assert list(load(path).routes) == ["daily"]
