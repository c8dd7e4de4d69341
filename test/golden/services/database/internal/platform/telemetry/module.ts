import { setTimeout as sleep } from 'node:timers/promises';
import { Type } from 'typebox';
import { defineModule } from '../app/module.ts';
import { tracing } from '../app/tracing.ts';
import { rule } from '../config/config.ts';
import { config } from './config.ts';

/** Milliseconds that the last spans may take on their way out. */
const flushMs = 3000;

const { OTEL_EXPORTER_OTLP_ENDPOINT } = config.properties;

/** Traces by OTLP, when a collector is named. What makes spans starts after it and stops before it: the last spans arrive, too. */
export const telemetry = defineModule({
  name: 'telemetry',
  config,
  rules: [
    // What a pattern cannot tell.
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
    // Loading the SDK takes a while: a service without a collector does without it.
    const { startTracing } = await import('./otel.ts');
    const recording = startTracing(settings, log);
    use(tracing).current = recording;
    return {
      value: undefined,
      async stop(signal: AbortSignal) {
        const late = sleep(flushMs, 'late', { signal, ref: false }).catch(() => 'late');
        const outcome = await Promise.race([recording.stop(), late]);
        // A collector that is slow or away is no reason to call the stop unclean.
        if (outcome === 'late') log.warn({ ms: flushMs }, 'the last traces were not delivered in time');
      },
    };
  },
});
