import { Counter, Gauge, type Registry } from '@prometheus-io/client';

/** Metrics of TLS and HTTP/2. */
export type TlsMetrics = ReturnType<typeof createMetrics>;

/**
 * @param registry that exposes them
 * @returns the metrics, for the code that updates them
 */
export function createMetrics(registry: Registry) {
  const registers = [registry];
  const counter = <const Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name, help, labelNames, registers });
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  return {
    handshakes: counter(
      'tls_handshakes_total',
      'Successful TLS handshakes, by version, ALPN protocol and whether the session was resumed',
      ['version', 'protocol', 'resumed'],
    ),
    handshakeErrors: counter('tls_handshake_errors_total', 'Failed TLS handshakes, by reason', ['reason']),
    plain: counter('tls_plain_connections_total', 'Connections without TLS, which TLS_ONLY=false permits', []),
    refused: counter(
      'tls_connections_refused_total',
      'Connections closed before the handshake, by the limit they exceed',
      ['limit'],
    ),
    expiry: gauge(
      'tls_certificate_expiry_timestamp_seconds',
      'Expiry of the certificate in use, in seconds since 1970',
    ),
    reloaded: gauge(
      'tls_certificate_last_reload_successful',
      'Whether the certificate files are in use (1) or could not be loaded (0)',
    ),
    sessions: gauge('http2_sessions', 'Open HTTP/2 connections'),
    streams: gauge('http2_streams', 'HTTP/2 requests in progress'),
    closed: counter('http2_sessions_closed_total', 'HTTP/2 connections closed because of their client, by reason', [
      'reason',
    ]),
    reset: counter(
      'http2_streams_reset_total',
      'HTTP/2 requests that ended without a complete reply: reset by the client, or by the service for a reason',
      ['reason'],
    ),
  };
}
