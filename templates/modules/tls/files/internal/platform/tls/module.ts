import { randomBytes } from 'node:crypto';
import { Type } from 'typebox';
import { defineModule } from '../app/module.ts';
import { type Rule, rule } from '../config/config.ts';
import { http } from '../http/module.ts';
import { metrics } from '../metrics/module.ts';
import { Certificate } from './certificate.ts';
import { config } from './config.ts';
import { Door } from './door.ts';
import { createMetrics } from './metrics.ts';
import { prepareReplies } from './replies.ts';
import { createHttp2 } from './server.ts';
import { Sessions } from './sessions.ts';

const { TLS_CERT_FILE, TLS_KEY_FILE } = config.properties;
/** Size that Node requires (https://nodejs.org/api/tls.html, `ticketKeys`). */
const ticketKeysBytes = 48;

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
    const { registry } = use(metrics);
    const measured = createMetrics(registry);
    const certificate = new Certificate({ files: { cert, key }, log, metrics: measured });
    const credentials = await certificate.load();
    const sessions = new Sessions(createHttp2(api, settings.HTTP2_STREAMS_MAX), {
      requests: { all: settings.HTTP2_REQUESTS_MAX, peer: settings.HTTP2_PEER_REQUESTS_MAX },
      idleMs: api.limits.HTTP_KEEP_ALIVE_TIMEOUT_MS,
      requestMs: api.limits.HTTP_REQUEST_TIMEOUT_MS,
      stallMs: api.limits.HTTP_STALL_TIMEOUT_MS,
      metrics: measured,
    });
    prepareReplies(api, settings.HTTP2_REPLY_MEMORY_BYTES, (stream) => sessions.giveUp(stream));
    const door = new Door(api.server, {
      credentials,
      ticketKeys: ticketKeys === undefined ? randomBytes(ticketKeysBytes) : Buffer.from(ticketKeys, 'base64'),
      minVersion: settings.TLS_MIN_VERSION,
      tlsOnly: settings.TLS_ONLY,
      handshakeMs: settings.TLS_HANDSHAKE_TIMEOUT_MS,
      http2: (socket) => sessions.accept(socket),
      metrics: measured,
    });
    const renew = door.renew.bind(door);
    certificate.watch(settings.TLS_RELOAD_INTERVAL_MS, renew);
    return {
      value: undefined,
      links() {
        const address = api.server.address();
        const port = typeof address === 'object' ? address?.port : undefined;
        return { API: `https://localhost:${port}` };
      },
      reload: () => certificate.reload(renew),
      async drain(signal) {
        door.drain(signal);
        await sessions.drain(signal);
      },
      stop() {
        sessions.close();
        certificate.close();
      },
    };
  },
});
