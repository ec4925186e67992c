{{/* What the pods of all members have in common. */}}

{{/* Labels and annotations of a member's pod: (dict "root" context "labels" the template that has those of its selector) */}}
{{- define "baton.podMetadata" -}}
labels:
  {{- include .labels .root | nindent 2 }}
  {{- with .root.Values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .root.Values.podAnnotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Where a pod runs, and as whom: (dict "root" context "own" values with nodeSelector, tolerations and affinity) */}}
{{- define "baton.pod" -}}
{{- $values := .root.Values -}}
# A Service called op-conductor would put OP_CONDUCTOR_RPC_PORT=tcp://… into every pod of the namespace.
enableServiceLinks: false
automountServiceAccountToken: false
{{- with $values.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
securityContext: {{- toYaml $values.podSecurityContext | nindent 2 }}
{{- with $values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .own.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .own.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .own.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- range . }}
  - {{- toYaml . | nindent 4 }}
    labelSelector:
      matchLabels: {{- include "baton.selectorLabels" $.root | nindent 8 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* The container of Baton: (dict "root" context "own" values with args, env and resources "isWitness" boolean) */}}
{{- define "baton.container" -}}
{{- $root := .root -}}
{{- $conductor := .root.Values.conductor -}}
{{- $ports := $conductor.ports -}}
- name: baton
  image: {{ $conductor.image }}
  imagePullPolicy: {{ $conductor.imagePullPolicy }}
  {{- with .own.args }}
  args: {{- tpl (toYaml .) $root | nindent 4 }}
  {{- end }}
  env:
    - name: POD_NAME
      valueFrom:
        fieldRef: { fieldPath: metadata.name }
    - { name: OP_CONDUCTOR_RAFT_SERVER_ID, value: $(POD_NAME) }
    - { name: OP_CONDUCTOR_RAFT_STORAGE_DIR, value: /var/lib/baton }
    - name: OP_CONDUCTOR_RAFT_PEERS
      value: {{ include "baton.peers" $root }}
    - { name: OP_CONDUCTOR_CONSENSUS_ADDR, value: 0.0.0.0 }
    - { name: OP_CONDUCTOR_CONSENSUS_PORT, value: {{ $ports.consensus | quote }} }
    - name: OP_CONDUCTOR_CONSENSUS_ADVERTISED
      value: {{ include "baton.podHost" (list $root "$(POD_NAME)") }}:{{ $ports.consensus }}
    - { name: OP_CONDUCTOR_RPC_ADDR, value: 0.0.0.0 }
    - { name: OP_CONDUCTOR_RPC_PORT, value: {{ $ports.rpc | quote }} }
    - { name: OP_CONDUCTOR_METRICS_ENABLED, value: 'true' }
    - { name: OP_CONDUCTOR_METRICS_PORT, value: {{ $ports.metrics | quote }} }
    {{- if .isWitness }}
    - { name: OP_CONDUCTOR_WITNESS, value: 'true' }
    {{- else }}
    - { name: OP_CONDUCTOR_NODE_RPC, value: 'http://127.0.0.1:{{ $root.Values.opNode.ports.rpc }}' }
    - { name: OP_CONDUCTOR_EXECUTION_RPC, value: 'http://127.0.0.1:{{ $root.Values.executionClient.ports.http }}' }
    - { name: OP_CONDUCTOR_HEALTHCHECK_INTERVAL, value: {{ $conductor.healthcheck.interval | quote }} }
    - { name: OP_CONDUCTOR_HEALTHCHECK_UNSAFE_INTERVAL, value: {{ $conductor.healthcheck.unsafeInterval | quote }} }
    - { name: OP_CONDUCTOR_HEALTHCHECK_MIN_PEER_COUNT, value: {{ $conductor.healthcheck.minPeerCount | quote }} }
    {{- end }}
    - { name: OP_CONDUCTOR_LOG_LEVEL, value: {{ $conductor.logLevel }} }
    - { name: OP_CONDUCTOR_SHUTDOWN_TIMEOUT, value: {{ $conductor.shutdownSeconds }}s }
    {{- if and $conductor.flashblocksUrl (not .isWitness) }}
    - { name: OP_CONDUCTOR_ROLLUPBOOST_WS_URL, value: {{ $conductor.flashblocksUrl | quote }} }
    - { name: OP_CONDUCTOR_WEBSOCKET_SERVER_PORT, value: {{ $ports.websocket | quote }} }
    {{- end }}
    {{- with .own.env }}
    {{- tpl (toYaml .) $root | nindent 4 }}
    {{- end }}
  ports:
    - { name: rpc, containerPort: {{ $ports.rpc }} }
    - { name: consensus, containerPort: {{ $ports.consensus }} }
    - { name: metrics, containerPort: {{ $ports.metrics }} }
    {{- if and $conductor.flashblocksUrl (not .isWitness) }}
    - { name: websocket, containerPort: {{ $ports.websocket }} }
    {{- end }}
  # Checking the whole log on a slow disk can take minutes.
  startupProbe:
    httpGet: { path: /healthz, port: rpc }
    periodSeconds: 2
    failureThreshold: 150
  # Checks only the process: restarting Baton repairs neither op-node nor a lost majority.
  livenessProbe:
    httpGet: { path: /healthz, port: rpc }
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 6
  # Ready means that the member could take over now; for a witness, that it has the whole log. Pods start together and find
  # each other before they are ready (publishNotReadyAddresses). An update waits until this pod is fit again.
  readinessProbe:
    httpGet: { path: /readyz, port: rpc }
    periodSeconds: 5
    timeoutSeconds: 2
  lifecycle:
    preStop:
      exec:
        # Returns when another member sequences. Does nothing on a follower. If it fails, SIGTERM transfers leadership.
        command: [baton, transfer, --away, --yes, --deadline, {{ $conductor.handOverSeconds }}s]
  resources: {{- toYaml .own.resources | nindent 4 }}
  securityContext: {{- toYaml $root.Values.securityContext | nindent 4 }}
  volumeMounts:
    - { name: conductor-data, mountPath: /var/lib/baton }
    - { name: tmp, mountPath: /tmp, subPath: baton }
{{- end }}
