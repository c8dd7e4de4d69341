import { setTimeout as sleep } from 'node:timers/promises';
import { Type } from 'typebox';
import { defineModule } from '../app/module.ts';
import { tracing } from '../app/tracing.ts';
import { rule } from '../config/config.ts';
import { config } from './config.ts';

/** Milliseconds to deliver the last spans. */
const flushMs = 3000;

const { OTEL_EXPORTER_OTLP_ENDPOINT } = config.properties;

/** Sends traces by OTLP when a collector is set. Modules that create spans start after it and stop before it, so their last spans arrive. */
export const telemetry = defineModule({
  name: 'telemetry',
  config,
  rules: [
    // A pattern cannot check this.
    rule(Type.Object({ OTEL_EXPORTER_OTLP_ENDPOINT }), ({ OTEL_EXPORTER_OTLP_ENDPOINT: given }) =>
      given === '' || URL.canParse(given)
        ? undefined
        : { variable: 'OTEL_EXPORTER_OTLP_ENDPOINT', expected: 'a URL', given, example: 'http://localhost:4318' },
    ),
  ],
  requires: [],
  completes: tracing,
  async start({ config: settings, log, use }) {
    if (settings.OTEL_EXPORTER_OTLP_ENDPOINT === '') return { value: undefined };
    // Loading the SDK takes time, and a service without a collector does not need it.
    const { startTracing } = await import('./otel.ts');
    const recording = startTracing(settings, log);
    use(tracing).current = recording;
    return {
      value: undefined,
      async stop(signal: AbortSignal) {
        const late = sleep(flushMs, 'late', { signal, ref: false }).catch(() => 'late');
        const outcome = await Promise.race([recording.stop(), late]);
        // The stop is clean even when the collector is slow or away.
        if (outcome === 'late') log.warn({ ms: flushMs }, 'the last traces were not delivered in time');
      },
    };
  },
});
