import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'telemetry',
  summary: 'Traces with OpenTelemetry, sent by OTLP; not loaded until a collector is configured',
  category: 'reliability',
  dependencies: [
    '@opentelemetry/api',
    '@opentelemetry/core',
    '@opentelemetry/exporter-trace-otlp-proto',
    '@opentelemetry/resources',
    '@opentelemetry/sdk-trace',
    '@opentelemetry/semantic-conventions',
  ],
  wiring: { telemetry: 'internal/platform/telemetry/module.ts' },
  platformTests: ['test/telemetry.test.ts', 'test/support/otlp.ts'],
  next: {
    added: ['set OTEL_EXPORTER_OTLP_ENDPOINT to your collector; without it nothing is recorded'],
  },
  renamed: {
    'internal/telemetry/otel.ts': 'internal/platform/telemetry/otel.ts',
    'internal/telemetry/sampling.ts': 'internal/platform/telemetry/otel.ts',
    'internal/telemetry/delivery.ts': 'internal/platform/telemetry/otel.ts',
    'internal/telemetry/beginSpan.ts': 'internal/platform/telemetry/spans.ts',
    'internal/telemetry/contextManager.ts': 'internal/platform/telemetry/spans.ts',
    'internal/telemetry/requestSpan.ts': 'internal/platform/telemetry/spans.ts',
    'internal/telemetry/callSpan.ts': 'internal/platform/telemetry/spans.ts',
    'internal/telemetry/spanContext.ts': 'internal/platform/telemetry/spans.ts',
    'internal/telemetry/module.ts': 'internal/platform/telemetry/module.ts',
    'internal/telemetry/rules.ts': 'internal/platform/telemetry/module.ts',
    'internal/telemetry/': 'internal/platform/telemetry/',
  },
});
