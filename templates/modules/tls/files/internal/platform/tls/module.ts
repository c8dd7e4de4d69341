import { randomBytes } from 'node:crypto';
import { Counter, Gauge } from '@prometheus-io/client';
import { Type } from 'typebox';
import { defineModule } from '../app/module.ts';
import { type Rule, rule } from '../config/config.ts';
import { http } from '../http/module.ts';
import { metrics } from '../metrics/module.ts';
import { Certificate } from './certificate.ts';
import { config } from './config.ts';
import { Door } from './door.ts';
import { Http2 } from './server.ts';

const { TLS_CERT_FILE, TLS_KEY_FILE } = config.properties;
/** Size that Node requires (https://nodejs.org/api/tls.html, `ticketKeys`). */
const ticketKeysBytes = 48;
/** Milliseconds between two checks for changed files; SIGHUP checks at once. */
const reloadMs = 10_000;

/** A certificate needs its key, and a key its certificate. */
const rules: readonly Rule[] = [
  rule(Type.Object({ TLS_CERT_FILE, TLS_KEY_FILE }), ({ TLS_CERT_FILE: cert, TLS_KEY_FILE: key }) => {
    if ((cert === undefined) === (key === undefined)) return undefined;
    const [missing, other] = key === undefined ? ['TLS_KEY_FILE', 'TLS_CERT_FILE'] : ['TLS_CERT_FILE', 'TLS_KEY_FILE'];
    const example = key === undefined ? '/etc/tls/tls.key' : '/etc/tls/tls.crt';
    return { variable: missing, expected: `a file, because ${other} is set`, example };
  }),
];

/** Serves the API by TLS, as HTTP/2 or HTTP/1.1 by choice of the client. Without a certificate it changes nothing. */
export const tls = defineModule({
  name: 'tls',
  config,
  rules,
  requires: [http, metrics],
  async start({ config: settings, log, use }) {
    const { TLS_CERT_FILE: cert, TLS_KEY_FILE: key, TLS_TICKET_KEYS: ticketKeys } = settings;
    if (cert === undefined || key === undefined) {
      log.info('no certificate: plain HTTP/1.1');
      return { value: undefined };
    }
    const api = use(http);
    const { errors, registry } = use(metrics);
    const registers = [registry];
    const connections = new Counter({
      name: 'tls_connections_total',
      help: 'Connections by protocol: h2, http/1.1, plain (which TLS_ONLY=false permits), or failed for a failed handshake',
      labelNames: ['protocol'],
      registers,
    });
    const expiry = new Gauge({
      name: 'tls_certificate_expiry_timestamp_seconds',
      help: 'Expiry of the certificate in use, in seconds since 1970',
      registers,
    });
    const certificate = new Certificate({ cert, key }, log, expiry);
    const credentials = await certificate.load();
    const http2 = new Http2(api, { maxStreams: settings.HTTP2_STREAMS_MAX, errors });
    const door = new Door(api.server, {
      credentials,
      ticketKeys: ticketKeys === undefined ? randomBytes(ticketKeysBytes) : Buffer.from(ticketKeys, 'base64'),
      tlsOnly: settings.TLS_ONLY,
      http2: (socket) => http2.accept(socket),
      count: (protocol) => connections.inc({ protocol }),
    });
    const reload = () => certificate.reload((renewed) => door.renew(renewed));
    // `reload` has logged the error.
    const timer = setInterval(() => void reload().catch(() => undefined), reloadMs).unref();
    return {
      value: undefined,
      links() {
        const address = api.server.address();
        const port = typeof address === 'object' ? address?.port : undefined;
        return { API: `https://localhost:${port}` };
      },
      reload,
      async drain(signal) {
        door.drain(signal);
        await http2.drain(signal);
      },
      stop: () => clearInterval(timer),
    };
  },
});
