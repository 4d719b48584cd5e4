"""The overview tells a fault of one place from one of the path, also where each place has two exporters."""

import json
import subprocess

import pytest

from grafana.overview import FROM_WHERE

pytestmark = pytest.mark.lab


def series(name, vantage, instance, values, **labels):
    have = {"job": "smtp-probe", "route": "r", "vantage": vantage, "instance": instance, **labels}
    return {
        "series": f"{name}{{{','.join(f'{key}={value!r}' for key, value in have.items())}}}",
        "values": values,
    }


def share(route, vantage, value):
    return {"labels": f'{{route="{route}", vantage="{vantage}"}}', "value": value}


def test_each_place_has_its_own_share_of_failures(tmp_path):
    expr = FROM_WHERE.replace('"$job"', '".*"').replace('"$instance"', '".*"').replace('"$route"', '".*"')
    probes, failures = "smtp_probe_probes_total", "smtp_probe_probe_failures_total"
    twice = [("fra", "fra-1"), ("fra", "fra-2"), ("nyc", "nyc-1"), ("nyc", "nyc-2")]
    case = {
        "interval": "1m",
        "input_series": [
            *(series(probes, vantage, instance, "0+2x90") for vantage, instance in twice),
            *(
                series(failures, "fra", instance, "0+1x90", reason="overdue")
                for instance in ("fra-1", "fra-2")
            ),
            *(
                series(failures, "fra", instance, "0+1x90", reason="bounced")
                for instance in ("fra-1", "fra-2")
            ),
            series(probes, "", "alone", "0+2x90"),
        ],
        "promql_expr_test": [
            {
                "expr": expr.replace("$window", "1h"),
                "eval_time": "80m",
                "exp_samples": [share("r", "fra", 1), share("r", "nyc", 0)],
            }
        ],
    }
    path = tmp_path / "test.yml"
    path.write_text(json.dumps({"evaluation_interval": "1m", "rule_files": [], "tests": [case]}))
    done = subprocess.run(["promtool", "test", "rules", path], capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stdout + done.stderr
