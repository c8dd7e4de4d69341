import { Counter, Gauge, type Registry } from '@prometheus-io/client';

/** What TLS and HTTP/2 report. */
export type Http2Metrics = ReturnType<typeof createMetrics>;

/** What is asked at each scrape. */
export interface Gauges {
  readonly sessions: () => number;
  readonly streams: () => number;
}

/**
 * @param registry where they are scraped from
 * @returns the metrics that somebody must tell
 */
export function createMetrics(registry: Registry) {
  const registers = [registry];
  return {
    handshakes: new Counter({
      name: 'tls_handshakes_total',
      help: 'Handshakes that succeeded, by version of TLS, protocol agreed on (ALPN), and whether a session was resumed',
      labelNames: ['version', 'protocol', 'resumed'],
      registers,
    }),
    handshakeErrors: new Counter({
      name: 'tls_handshake_errors_total',
      help: 'Handshakes that failed, by reason',
      labelNames: ['reason'],
      registers,
    }),
    refused: new Counter({
      name: 'tls_connections_refused_total',
      help: 'Connections that were closed at once, by the limit that they were beyond',
      labelNames: ['limit'],
      registers,
    }),
    expiry: new Gauge({
      name: 'tls_certificate_expiry_timestamp_seconds',
      help: 'When the certificate in use ends, in seconds since 1970',
      registers,
    }),
    reloaded: new Gauge({
      name: 'tls_certificate_last_reload_successful',
      help: 'Whether the files of the certificate are those in use (1), or could not be taken up (0)',
      registers,
    }),
    closed: new Counter({
      name: 'http2_sessions_closed_total',
      help: 'Connections by HTTP/2 that were closed for what their client did, by reason',
      labelNames: ['reason'],
      registers,
    }),
    reset: new Counter({
      name: 'http2_streams_reset_total',
      help: 'Requests by HTTP/2 that ended without a whole reply: reset by the client, or by us for a reason',
      labelNames: ['reason'],
      registers,
    }),
  };
}

/**
 * @param registry where they are scraped from
 * @param gauges read once a scrape
 */
export function registerGauges(registry: Registry, { sessions, streams }: Gauges): void {
  const open = new Gauge({
    name: 'http2_sessions',
    help: 'Connections by HTTP/2 that are open',
    registers: [],
    collect() {
      this.set(sessions());
    },
  });
  const inFlight = new Gauge({
    name: 'http2_streams',
    help: 'Requests by HTTP/2 that are being answered',
    registers: [],
    collect() {
      this.set(streams());
    },
  });
  registry.registerMetric(open);
  registry.registerMetric(inFlight);
}
