import { Type } from 'typebox';

/** Names and meanings are OpenTelemetry's: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */
export const config = Type.Object({
  OTEL_EXPORTER_OTLP_ENDPOINT: Type.String({
    pattern: '^(https?://.+)?$',
    default: '',
    description: 'Base URL of the collector that takes traces by OTLP over HTTP; without one none are made',
    examples: ['http://localhost:4318'],
  }),
  OTEL_SERVICE_NAME: Type.String({
    default: '',
    description: 'What the service is called in traces; the name in package.json unless told',
    examples: ['orders'],
  }),
  OTEL_RESOURCE_ATTRIBUTES: Type.String({
    default: '',
    description: 'More about this process, in every trace: key=value,key=value',
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
        'Which traces are recorded; parentbased: what the caller has decided, for what begins here the rest of the name',
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
