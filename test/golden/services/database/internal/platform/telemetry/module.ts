import { setTimeout as sleep } from 'node:timers/promises';
import { defineModule } from '../app/module.ts';
import { config } from './config.ts';
import { rules } from './rules.ts';
import { type Tracing, noTracing } from './tracing.ts';

/** Milliseconds that the last spans may take on their way out. */
const flushMs = 3000;

/** Traces by OTLP, when a collector is named. Modules start after it and stop before it: their last spans arrive, too. */
export const telemetry = defineModule({
  name: 'telemetry',
  config,
  rules,
  requires: [],
  async start({ config: settings, log }): Promise<{ value: Tracing; stop?: (signal: AbortSignal) => Promise<void> }> {
    if (settings.OTEL_EXPORTER_OTLP_ENDPOINT === '') return { value: noTracing };
    // The SDK takes a while to load: who has no collector does without.
    const { startTracing } = await import('./otel.ts');
    const tracing = startTracing(settings, log);
    return {
      value: tracing,
      async stop(signal) {
        const late = sleep(flushMs, 'late', { signal, ref: false }).catch(() => 'late');
        const outcome = await Promise.race([tracing.stop(), late]);
        // A collector that is slow or away is no reason to call the stop unclean.
        if (outcome === 'late') log.warn({ ms: flushMs }, 'the last traces were not delivered in time');
      },
    };
  },
});
