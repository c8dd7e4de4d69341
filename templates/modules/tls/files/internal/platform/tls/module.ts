import { Type } from 'typebox';
import { defineModule } from '../app/module.ts';
import { type Rule, rule } from '../config/config.ts';
import { http } from '../http/module.ts';
import { metrics } from '../metrics/module.ts';
import { Certificate } from './certificate.ts';
import { config } from './config.ts';
import { decodeTicketKeys, newTicketKeys } from './credentials.ts';
import { Door } from './door.ts';
import { createMetrics, registerGauges } from './metrics.ts';
import { boundReplies, dropConnectionHeaders, sendInPieces } from './replies.ts';
import { createHttp2 } from './server.ts';
import { Sessions } from './sessions.ts';

/** Milliseconds between two looks at all connections. */
const sweepMs = 1000;

const { TLS_CERT_FILE, TLS_KEY_FILE } = config.properties;

/** A certificate is of no use without its key, nor the other way round. */
const rules: readonly Rule[] = [
  rule(Type.Object({ TLS_CERT_FILE, TLS_KEY_FILE }), ({ TLS_CERT_FILE: cert, TLS_KEY_FILE: key }) => {
    if ((cert === undefined) === (key === undefined)) return undefined;
    const [missing, other] = key === undefined ? ['TLS_KEY_FILE', 'TLS_CERT_FILE'] : ['TLS_CERT_FILE', 'TLS_KEY_FILE'];
    const expected = `a file, because ${other} is set`;
    return { variable: missing, expected, example: key === undefined ? '/etc/tls/tls.key' : '/etc/tls/tls.crt' };
  }),
];

/** The API by TLS, in HTTP/2 or HTTP/1.1 as each client likes; without a certificate it stays as it is. */
export const tls = defineModule({
  name: 'tls',
  config,
  rules,
  requires: [http, metrics],
  async start({ config: settings, log, use }) {
    const { TLS_CERT_FILE: cert, TLS_KEY_FILE: key } = settings;
    if (cert === undefined || key === undefined) {
      log.info('no certificate: plain HTTP/1.1');
      return { value: undefined };
    }
    const api = use(http);
    const { registry, errors } = use(metrics);
    const measured = createMetrics(registry);
    const certificate = new Certificate({
      files: { cert, key, ticketKeys: settings.TLS_TICKET_KEYS_FILE },
      ticketKeys: settings.TLS_TICKET_KEYS === undefined ? newTicketKeys() : decodeTicketKeys(settings.TLS_TICKET_KEYS),
      log,
      metrics: measured,
    });
    const credentials = await certificate.load();
    const server = createHttp2(api, settings, errors);
    const sessions = new Sessions(server, {
      idleMs: api.limits.HTTP_KEEP_ALIVE_TIMEOUT_MS,
      requestMs: api.limits.HTTP_REQUEST_TIMEOUT_MS,
      stallMs: api.limits.HTTP_STALL_TIMEOUT_MS,
      lingerMs: api.limits.HTTP_STALL_TIMEOUT_MS,
      controlFrames: settings.HTTP2_CONTROL_FRAMES_MAX,
      requests: { all: settings.HTTP2_REQUESTS_MAX, peer: settings.HTTP2_PEER_REQUESTS_MAX },
      windowBytes: settings.HTTP2_WINDOW_BYTES,
      sweepMs,
      metrics: measured,
    });
    boundReplies(api, settings.HTTP2_REPLY_MEMORY_BYTES, sessions.giveUp.bind(sessions));
    dropConnectionHeaders(api);
    sendInPieces(api);
    registerGauges(registry, { sessions: () => sessions.count, streams: () => sessions.streams });
    const door = new Door(api.server, {
      credentials,
      minVersion: settings.TLS_MIN_VERSION,
      handshakeMs: settings.TLS_HANDSHAKE_TIMEOUT_MS,
      peers: api.peers,
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
