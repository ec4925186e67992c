{{- define "baton.fullname" -}}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if contains $name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}
{{- end }}

{{- define "baton.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Its pod has the labels of all members as well: policies and budgets are about the whole cluster. */}}
{{- define "baton.witnessLabels" -}}
{{ include "baton.selectorLabels" . }}
app.kubernetes.io/component: witness
{{- end }}

{{- define "baton.labels" -}}
{{ include "baton.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "baton.headless" -}}
{{ include "baton.fullname" . }}-headless
{{- end }}

{{/* Host name of a pod: (list context "name of the pod") */}}
{{- define "baton.podHost" -}}
{{- $context := index . 0 -}}
{{ index . 1 }}.{{ include "baton.headless" $context }}.{{ $context.Release.Namespace }}.svc.{{ $context.Values.clusterDomain }}
{{- end }}

{{- define "baton.witness" -}}
{{ include "baton.fullname" . }}-witness
{{- end }}

{{/* Number of members, the witness among them */}}
{{- define "baton.size" -}}
{{ add .Values.replicaCount (ternary 1 0 .Values.witness.enabled) }}
{{- end }}

{{/* Names of all pods, with commas between them; the witness comes last */}}
{{- define "baton.members" -}}
{{- $members := list -}}
{{- range $index := until (int .Values.replicaCount) -}}
{{- $members = append $members (printf "%s-%d" (include "baton.fullname" $) $index) -}}
{{- end -}}
{{- if .Values.witness.enabled -}}
{{- $members = append $members (printf "%s-0" (include "baton.witness" .)) -}}
{{- end -}}
{{ join "," $members }}
{{- end }}

{{/* Value of --raft.peers: all pods by their stable names */}}
{{- define "baton.peers" -}}
{{- $context := . -}}
{{- $peers := list -}}
{{- range $pod := include "baton.members" . | splitList "," -}}
{{- $peers = append $peers (printf "%s@%s:%v" $pod (include "baton.podHost" (list $context $pod)) $context.Values.conductor.ports.consensus) -}}
{{- end -}}
{{ join "," $peers }}
{{- end }}

{{/* Baton's pre-stop hook and orderly stop take so long at most */}}
{{- define "baton.stopSeconds" -}}
{{ add .Values.conductor.handOverSeconds .Values.conductor.shutdownSeconds 5 }}
{{- end }}

{{/*
What must hold between values, and of the cluster: pods keep op-node alive until Baton has handed over by means of native
sidecars, which are on since 1.29. Not as kubeVersion in Chart.yaml: a helm that was built with `go install` takes itself
for v1.20.0 when it renders without a cluster, and could not render at all.
*/}}
{{- define "baton.checks" -}}
{{- $kubernetes := .Capabilities.KubeVersion.Version -}}
{{- if and (semverCompare "<1.29.0-0" $kubernetes) (ne $kubernetes "v1.20.0") -}}
{{- fail (printf "Kubernetes is %s, and the chart needs 1.29 or later for native sidecars" $kubernetes) -}}
{{- end -}}
{{- $stop := include "baton.stopSeconds" . -}}
{{- if lt (int .Values.terminationGracePeriodSeconds) (int $stop) -}}
{{- fail (printf "terminationGracePeriodSeconds is %v, but transfer and stop may take %v: raise it, or lower conductor.handOverSeconds or conductor.shutdownSeconds" .Values.terminationGracePeriodSeconds $stop) -}}
{{- end -}}
{{- $ports := concat (values .Values.conductor.ports) (values .Values.opNode.ports) (values .Values.executionClient.ports) | toStrings -}}
{{- if ne (len $ports) (len (uniq $ports)) -}}
{{- fail (printf "two containers of the pod use the same port: %s" (join " " ($ports | sortAlpha))) -}}
{{- end -}}
{{- end }}

{{/* A volume claim: (dict "name" "size" "storageClassName") */}}
{{- define "baton.claim" -}}
- metadata:
    name: {{ .name }}
  spec:
    accessModes: [ReadWriteOnce]
    {{- with .persistence.storageClassName }}
    storageClassName: {{ . }}
    {{- end }}
    resources:
      requests:
        storage: {{ .persistence.size }}
{{- end }}
