# For users of pint: `pint lint rules` in this folder checks the rules, against a Prometheus of yours as well.
prometheus "local" {
  uri     = "http://localhost:9090"
  timeout = "30s"
}

parser {
  include = ["rules/.*"]
}

# The baselines look back three weeks and fall back to the last day where the retention is shorter: no fault.
checks {
  disabled = ["promql/range_query"]
}

rule {
  match {
    kind = "alerting"
  }

  label "severity" {
    value    = "critical|warning|info"
    required = true
    severity = "bug"
  }

  annotation "summary" {
    required = true
    severity = "bug"
  }

  annotation "description" {
    required = true
    severity = "bug"
  }

  annotation "runbook_url" {
    value    = ".*/{{ $alert }}\\.md"
    required = true
    severity = "bug"
  }

  annotation "dashboard_url" {
    required = true
    severity = "bug"
  }
}
