// A mixin (monitoring.mixins.dev) of what is generated elsewhere: nothing is defined here, all is imported.
{
  grafanaDashboardFolder: 'smtp-probe',
  grafanaDashboards: {
    'smtp-probe-overview.json': import 'dashboards/smtp-probe-overview.json',
    'smtp-probe-route.json': import 'dashboards/smtp-probe-route.json',
    'smtp-probe-hops.json': import 'dashboards/smtp-probe-hops.json',
    'smtp-probe-dns.json': import 'dashboards/smtp-probe-dns.json',
    'smtp-probe-queue.json': import 'dashboards/smtp-probe-queue.json',
    'smtp-probe-prober.json': import 'dashboards/smtp-probe-prober.json',
  },
  prometheusAlerts: std.parseYaml(importstr '../deploy/prometheus/rules/smtp-probe-alerts.yml'),
  prometheusRules: std.parseYaml(importstr '../deploy/prometheus/rules/smtp-probe-recording.yml'),
}
