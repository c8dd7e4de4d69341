import { ExportResultCode } from '@opentelemetry/core';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import { background, runWith } from '../../../pkg/context/index.ts';
import type { Logger } from '../log/logger.ts';

/** Milliseconds without a loss: a collector that is too slow takes some spans again and again, and loses others in between. */
const calmMs = 60_000;

/** Knows whether traces arrive, and says once that they do not, and once that they do again. */
export class Delivery {
  readonly #log: Logger;
  #failing = false;
  #failedAt = 0;
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
    this.#failedAt = performance.now();
    if (this.#failing) return;
    this.#failing = true;
    // Spans are sent by a timer, which some request has set: the line is not about that one.
    runWith(background, () => this.#log.warn({ err: error }, 'traces cannot be delivered'));
  }

  /** Some spans arrived. */
  succeeded(): void {
    if (!this.#failing || performance.now() - this.#failedAt < calmMs) return;
    runWith(background, () => this.#log.info({ lost: this.#lost }, 'traces are delivered again'));
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
