{{- define "smtp-probe.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "smtp-probe.fullname" -}}
{{- $name := include "smtp-probe.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "smtp-probe.selectorLabels" -}}
app.kubernetes.io/name: {{ include "smtp-probe.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "smtp-probe.labels" -}}
{{ include "smtp-probe.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* metadata of an object: (list $ suffix labels annotations) */}}
{{- define "smtp-probe.metadata" -}}
{{- $root := index . 0 -}}
name: {{ include "smtp-probe.fullname" $root }}{{ index . 1 }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "smtp-probe.labels" $root | nindent 2 }}
  {{- with index . 2 }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with index . 3 }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "smtp-probe.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "smtp-probe.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "smtp-probe.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end }}
{{- end }}

{{- /* The path that an external URL has, without its last slash: the prefix of all pages. */}}
{{- define "smtp-probe.prefix" -}}
{{- (urlParse .Values.web.externalUrl).path | trimSuffix "/" }}
{{- end }}

{{- define "smtp-probe.probe" -}}
{{- $root := index . 0 -}}
{{- $terms := index . 2 -}}
httpGet:
  path: {{ include "smtp-probe.prefix" $root }}{{ index . 1 }}
  port: http
  scheme: {{ $root.Values.probes.scheme }}
periodSeconds: {{ $terms.periodSeconds }}
failureThreshold: {{ $terms.failureThreshold }}
timeoutSeconds: {{ $terms.timeoutSeconds }}
{{- end }}

{{- define "smtp-probe.endpoint" -}}
{{- $root := index . 0 -}}
{{- $terms := index . 1 -}}
- port: http
  path: {{ include "smtp-probe.prefix" $root }}/metrics
  scheme: {{ $terms.scheme }}
  interval: {{ $terms.interval }}
  scrapeTimeout: {{ $terms.scrapeTimeout }}
  {{- range $key := list "tlsConfig" "basicAuth" }}
  {{- with index $terms $key }}
  {{ $key }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  relabelings:
    # The rules and dashboards know it by this name, whatever the release and its Service are called.
    - {targetLabel: job, replacement: smtp-probe}
    {{- with $terms.relabelings }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $terms.metricRelabelings }}
  metricRelabelings:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
