import { Type } from 'typebox';

/** Names and meanings are OpenTelemetry's: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */
export const config = Type.Object({
  OTEL_EXPORTER_OTLP_ENDPOINT: Type.String({
    pattern: '^(https?://.+)?$',
    default: '',
    description: 'Base URL of the collector for traces (OTLP over HTTP); without one no traces are recorded',
    examples: ['http://localhost:4318'],
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
});
