import { setTimeout as sleep } from 'node:timers/promises';
import { defineModule } from '../app/module.ts';
import { tracing } from '../app/tracing.ts';
import { config } from './config.ts';
import { withoutEffect } from './variables.ts';

/** Milliseconds to deliver the last spans. */
const flushMs = 3000;

/** Sends traces by OTLP when a collector is set. Modules that create spans start after it and stop before it, so their last spans arrive. */
export const telemetry = defineModule({
  name: 'telemetry',
  config,
  requires: [],
  completes: tracing,
  async start({ config: settings, log, use }) {
    const ignored = withoutEffect(process.env);
    if (Object.keys(ignored).length > 0) log.warn({ variables: ignored }, 'variables of OpenTelemetry have no effect');
    const { OTEL_SDK_DISABLED: isDisabled, OTEL_TRACES_EXPORTER: exporter } = settings;
    const collector =
      exporter ?? settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? settings.OTEL_EXPORTER_OTLP_ENDPOINT ?? 'none';
    if (isDisabled || collector === 'none') return { value: undefined };
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
