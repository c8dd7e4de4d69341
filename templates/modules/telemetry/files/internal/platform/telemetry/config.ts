import { Type } from 'typebox';

const url = (description: string, example: string) =>
  Type.Optional(Type.String({ format: 'uri', pattern: '^https?://.', description, examples: [example] }));

/**
 * Names and meanings are OpenTelemetry's: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/. The libraries
 * read the name and the attributes themselves, and headers, timeout, compression and certificates of the exporter.
 */
export const config = Type.Object({
  OTEL_SDK_DISABLED: Type.Boolean({ default: false, description: 'Records no traces', examples: [true] }),
  OTEL_TRACES_EXPORTER: Type.Optional(
    Type.Enum(['otlp', 'none'], {
      description: 'none records no traces; otlp sends them, also without an endpoint: then to http://localhost:4318',
      examples: ['otlp'],
    }),
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: url(
    'Base URL of the collector (OTLP over HTTP); without one no traces are recorded',
    'http://localhost:4318',
  ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url(
    'The whole URL for traces, instead of the base URL',
    'http://localhost:4318/v1/traces',
  ),
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
