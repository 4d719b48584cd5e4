"""The dashboards, without a Grafana: their form, their rules, their links, and their queries on a real Prometheus."""
