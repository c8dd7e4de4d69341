import { ExportResultCode } from '@opentelemetry/core';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from '../log/logger.ts';

/** Knows whether traces arrive, and says once that they do not, and once that they do again. */
export class Delivery {
  readonly #log: Logger;
  #failing = false;
  #lost = 0;

  /** @param log gets the two lines */
  constructor(log: Logger) {
    this.#log = log;
  }

  /**
   * @param error why
   * @param spans how many are lost by it
   */
  failed(error: unknown, spans = 0): void {
    this.#lost += spans;
    if (this.#failing) return;
    this.#failing = true;
    this.#log.warn({ err: error }, 'traces cannot be delivered');
  }

  /** Some spans arrived. */
  succeeded(): void {
    if (!this.#failing) return;
    this.#log.info({ lost: this.#lost }, 'traces are delivered again');
    this.#failing = false;
    this.#lost = 0;
  }

  /**
   * @param exporter sends spans
   * @returns the same, heard out
   */
  watch(exporter: SpanExporter): SpanExporter {
    return {
      export: (spans, done) =>
        exporter.export(spans, (result) => {
          if (result.code === ExportResultCode.SUCCESS) this.succeeded();
          else this.failed(result.error, spans.length);
          done(result);
        }),
      forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
      shutdown: () => exporter.shutdown(),
    };
  }
}
