"""The Grafana dashboards as code. `make dashboards` writes what is beside it: dashboards, ConfigMaps and the mixin's list."""
