import { Type } from 'typebox';

const endpoint = (description: string, example: string) =>
  Type.String({ pattern: '^(https?://.+)?$', default: '', description, examples: [example] });
const protocol = (of: string) =>
  Type.Enum(['http/protobuf'], {
    default: 'http/protobuf',
    description: `Protocol ${of}`,
    examples: ['http/protobuf'],
  });
const limit = (value: number, description: string) =>
  Type.Integer({ minimum: 1, default: value, description, examples: [value] });
const place = (what: string, example: string) =>
  Type.Optional(
    Type.String({ description: `${what} in Kubernetes, an attribute of every trace`, examples: [example] }),
  );

/**
 * Names and meanings are OpenTelemetry's: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/. What is not
 * supported is no valid value. The libraries read headers, timeout, compression and certificates of the exporter themselves.
 */
export const config = Type.Object({
  OTEL_SDK_DISABLED: Type.Boolean({ default: false, description: 'Records no traces', examples: [true] }),
  OTEL_TRACES_EXPORTER: Type.String({
    pattern: '^(otlp|none)?$',
    default: '',
    description: 'none records no traces; otlp sends them, also without an endpoint: then to http://localhost:4318',
    examples: ['otlp'],
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint(
    'Base URL of the collector (OTLP over HTTP); without one no traces are recorded',
    'http://localhost:4318',
  ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint(
    'The whole URL for traces, instead of the base URL',
    'http://localhost:4318/v1/traces',
  ),
  OTEL_EXPORTER_OTLP_PROTOCOL: protocol('of the collector'),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: protocol('for traces'),
  OTEL_PROPAGATORS: Type.Enum(['tracecontext'], {
    default: 'tracecontext',
    description: 'Headers that carry the trace: traceparent and tracestate (W3C)',
    examples: ['tracecontext'],
  }),
  OTEL_SERVICE_NAME: Type.String({
    default: '',
    description: 'Name of the service in traces; by default the name in package.json',
    examples: ['orders'],
  }),
  OTEL_RESOURCE_ATTRIBUTES: Type.String({
    default: '',
    description: 'Attributes of this process in every trace: key=value,key=value',
    examples: ['deployment.environment.name=staging'],
  }),
  OTEL_TRACES_SAMPLER: Type.Enum(
    [
      'parentbased_traceidratio',
      'parentbased_always_on',
      'parentbased_always_off',
      'traceidratio',
      'always_on',
      'always_off',
    ],
    {
      default: 'parentbased_traceidratio',
      description:
        'Which traces are recorded; parentbased: as the caller decided, and without a caller by the rest of the name',
      examples: ['parentbased_traceidratio'],
    },
  ),
  OTEL_TRACES_SAMPLER_ARG: Type.Number({
    minimum: 0,
    maximum: 1,
    default: 0.01,
    description: 'The share of traces that traceidratio records',
    examples: [0.01],
  }),
  OTEL_BSP_SCHEDULE_DELAY: limit(5000, 'Milliseconds between two deliveries'),
  OTEL_BSP_EXPORT_TIMEOUT: limit(30_000, 'Milliseconds that a delivery may take'),
  OTEL_BSP_MAX_QUEUE_SIZE: limit(2048, 'Spans that wait for delivery; more are lost'),
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: limit(512, 'Spans in one delivery'),
  K8S_POD_NAME: place('The pod', 'orders-5d9c7b7c6-x2x7p'),
  K8S_NAMESPACE_NAME: place('The namespace', 'orders-prod'),
  K8S_NODE_NAME: place('The node', 'node-1'),
});
