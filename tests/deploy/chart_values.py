"""Ten sets of values for the Helm chart, as administrators would write them."""

from __future__ import annotations

from typing import Any

CONFIG: dict[str, Any] = {
    "senders": {
        "relay": {
            "host": "127.0.0.1",
            "tls": "starttls",
            "auth": {"username": "probe", "password_file": "/etc/smtp-probe/secrets/accounts/relay"},
            "ehlo_name": "probe.example.org",
            "envelope_from": "probe@example.org",
        }
    },
    "mailboxes": {"inbox": {"host": "127.0.0.1", "tls": "implicit"}},
    "routes": {
        name: {"sender": "relay", "recipient": "probe@example.org", "mailbox": "inbox"} for name in ("a", "b")
    },
}
GROUP: dict[str, Any] = {
    "name": "own",
    "rules": [{"alert": "OwnAlert", "expr": "vector(1)", "annotations": {"summary": "{{ $labels.route }}"}}],
}
SETS: dict[str, dict[str, Any]] = {
    "defaults": {"config": CONFIG},
    "config from a secret": {"existingConfigSecret": {"name": "probe-config", "key": "c.yaml"}},
    "config from a map": {"existingConfigMap": {"name": "probe-config"}, "persistence": {"enabled": False}},
    "sharded": {"config": CONFIG, "shards": 3, "tagKeySecret": "tag-key", "secrets": ["accounts", "tag-key"]},
    "of a role": {"config": CONFIG, "role": "watcher", "replicas": 2, "tagKeySecret": "tag-key"},
    "scraped by service": {
        "config": CONFIG,
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}, "interval": "15s"},
        "prometheusRule": {"enabled": True, "additionalGroups": [GROUP]},
    },
    "scraped by pod, over TLS": {
        "config": CONFIG,
        "webConfigSecret": "door",
        "probes": {"scheme": "HTTPS"},
        "podMonitor": {"enabled": True, "scheme": "https", "tlsConfig": {"insecureSkipVerify": True}},
    },
    "fenced in": {
        "config": CONFIG,
        "networkPolicy": {
            "enabled": True,
            "from": [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}],
            "extraEgress": [{"ports": [{"port": 8080, "protocol": "TCP"}]}],
        },
        "podDisruptionBudget": {"enabled": True},
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
    },
    "behind an ingress": {
        "config": CONFIG,
        "web": {"externalUrl": "https://mon.example.org/mail/", "enableLifecycle": True},
        "ingress": {
            "enabled": True,
            "className": "nginx",
            "hosts": [{"host": "mon.example.org", "path": "/mail"}],
            "tls": [{"secretName": "mon-tls", "hosts": ["mon.example.org"]}],
        },
    },
    "behind a gateway": {
        "config": CONFIG,
        "gatewayRoute": {
            "enabled": True,
            "parentRefs": [{"name": "public"}],
            "hostnames": ["mon.example.org"],
        },
        "dashboards": {"enabled": True, "namespace": "grafana"},
    },
    "everything else": {
        "config": CONFIG,
        "nameOverride": "prober",
        "fullnameOverride": "mailprobe",
        "commonLabels": {"team": "mail"},
        "image": {"repository": "r.example.org/p", "digest": f"sha256:{'a' * 64}", "pullSecrets": ["pull"]},
        "serviceAccount": {"create": False},
        "probes": {"readiness": {"enabled": True}},
        "podAnnotations": {"a": "b"},
        "podLabels": {"c": "d"},
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "mail", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
        ],
        "priorityClassName": "high",
        "hostAliases": [{"ip": "192.0.2.1", "hostnames": ["mail.example.org"]}],
        "dnsPolicy": "None",
        "dnsConfig": {"nameservers": ["192.0.2.53"]},
        "extraArgs": ["--web.listen-address=:9999"],
        "extraEnv": [{"name": "A", "value": "b"}],
        "extraEnvFrom": [{"secretRef": {"name": "e"}}],
        "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
        "extraVolumeMounts": [{"name": "ca", "mountPath": "/ca"}],
        "extraInitContainers": [{"name": "wait", "image": "w:1"}],
        "extraContainers": [{"name": "side", "image": "s:1"}],
        "extraObjects": [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"k": "v"}},
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}-y'}\n",
        ],
    },
}
