import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import type { Duplex } from 'node:stream';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { WebSocket } from 'ws';
import { type Envelope, subprotocol } from '../../../pkg/client/websocket/envelope.ts';
import { current } from '../../../pkg/context/index.ts';
import { testSettings } from '../http/config.ts';
import { Service } from '../app/lifecycle.ts';
import { type Module, defineModule } from '../app/module.ts';
import { readConfig } from '../config/config.ts';
import { http } from '../http/module.ts';
import type { Http } from '../http/server.ts';
import { principalKey } from '../http/requestContext.ts';
import { identity } from '../identity/module.ts';
import { createLogger } from '../log/logger.ts';
import { type Metrics, metrics } from '../metrics/module.ts';
import { redis } from '../redis/module.ts';
import { tracing } from '../app/tracing.ts';
import { defineMessage, parseEnvelope } from './messages.ts';
import { websocket } from './module.ts';
import type { Sockets } from './sockets.ts';

const strict = { additionalProperties: false } as const;

/** Answers with what it was sent. */
export const echo = defineMessage({
  type: 'echo',
  version: '1.0',
  payload: Type.Object({ text: Type.String() }, strict),
  response: Type.Object({ text: Type.String() }, strict),
});

/** Is acknowledged, and does nothing else. */
export const note = defineMessage({
  type: 'note',
  version: '1.0',
  payload: Type.Object({ text: Type.String() }, strict),
});

/** What is published. */
export const news = defineMessage({
  type: 'news',
  version: '1.0',
  payload: Type.Object({ number: Type.Integer(), padding: Type.Optional(Type.String()) }, strict),
});

/**
 * @param payload of `news`
 * @returns its number
 */
export function numberOf(payload: unknown): number {
  return Value.Parse(news.payload, payload).number;
}

/**
 * @param url of a service, with the path
 * @returns a connection that was upgraded, for frames that no client makes
 */
export async function upgraded(url: string): Promise<Duplex> {
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  request(url, { headers: handshake })
    .on('upgrade', (_response, stream) => resolve(stream))
    .on('error', reject)
    .end();
  return promise;
}

/** Headers of a good handshake. */
export const handshake = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

/** A service with the module, and messages of its own. */
export type TestService = Awaited<ReturnType<typeof testService>>;

/**
 * @param env settings
 * @param messages registers them
 * @param more modules besides
 * @returns the service, ready
 */
export async function testService(
  env: Readonly<Record<string, string>> = {},
  messages: (sockets: Sockets, api: Http) => void = () => {},
  more: readonly Module[] = [],
) {
  const log = { text: '' };
  const started: { http?: Http; sockets?: Sockets; metrics?: Metrics } = {};
  const slice = defineModule({
    name: 'slice',
    config: Type.Object({}),
    requires: [http, metrics, websocket],
    start({ use }) {
      started.http = use(http);
      started.metrics = use(metrics);
      started.sockets = use(websocket);
      started.sockets.on(echo, ({ text }) => ({ text }));
      started.sockets.topic({ name: 'news' });
      messages(started.sockets, started.http);
      return { value: undefined };
    },
  });
  const settings = { ...testSettings, WEBSOCKET_DRAIN_MS: '0', ...env };
  const service = new Service([metrics, tracing, http, redis, identity, websocket, slice, ...more], {
    log: await createLogger('info', { write: (line) => void (log.text += line) }),
    configOf: (module) => readConfig(module.config, settings),
    startTimeoutMs: 10_000,
  });
  await service.start();
  const { http: api, sockets, metrics: measured } = started;
  if (api === undefined || sockets === undefined || measured === undefined)
    throw new Error('the slice has not started');
  const address = api.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const host = `127.0.0.1:${port}`;
  return { http: api, sockets, metrics: measured, service, ws: `ws://${host}`, api: `http://${host}`, log };
}

/** The sockets of raw clients that are not closed: what a test that fails leaves. */
export const openSockets = new Set<WebSocket>();

/** A client that speaks the protocol word by word. */
export type RawClient = Awaited<ReturnType<typeof rawClient>>;

/**
 * Stands in for module auth: leaves on the request what its guard leaves there.
 * @param api whose requests may carry `Bearer <subject>`, with `-<when it expires>` if it does; `reader` may read orders
 */
export function guarded(api: Http): void {
  api.addHook('onRequest', async ({ headers }) => {
    const [, subject, expires = Infinity] = /^Bearer (\w+)-?(\d+)?$/.exec(headers.authorization ?? '') ?? [];
    if (subject === undefined) return;
    const scopes = new Set(['read', ...(subject === 'reader' ? ['orders:read'] : [])]);
    const expiresAt = Number(expires) * 1000;
    current().set(principalKey, { subject, scopes, roles: new Set<string>(), claims: {}, expiresAt });
  });
}

/**
 * @param url of the service, with the path
 * @param options headers, and subprotocols beyond ours
 * @returns a client that is connected
 * @throws when it was not let in: `unexpected server response: 401`, say
 */
export async function rawClient(
  url: string,
  { headers = {}, protocols = [] }: { readonly headers?: Record<string, string>; readonly protocols?: string[] } = {},
) {
  const socket = new WebSocket(url, [subprotocol, ...protocols], { headers });
  /** All that it was sent, in order. */
  const received: Envelope[] = [];
  socket.on('message', (data: Buffer) => received.push(parseEnvelope(data.toString())));
  openSockets.add(socket);
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => {
      openSockets.delete(socket);
      resolve({ code, reason: String(reason) });
    });
  });
  await once(socket, 'open');
  socket.on('error', () => {});
  /** Sends an envelope; what is not given is made up. */
  const send = (message: Partial<Envelope>): string => {
    const msgId = message.msgId ?? randomUUID();
    const rest = { timestamp: Date.now(), source: 'test', type: 'echo', version: '1.0', payload: {}, ...message };
    socket.send(JSON.stringify({ ...rest, msgId }));
    return msgId;
  };
  /** The first message that fits, now or later. */
  const next = async (fits: (envelope: Envelope) => boolean): Promise<Envelope> => {
    for (;;) {
      const found = received.find(fits);
      if (found !== undefined) return found;
      await once(socket, 'message');
    }
  };
  /** Sends, and waits for the answer. */
  const ask = (message: Partial<Envelope>): Promise<Envelope> => {
    const msgId = send(message);
    return next(({ correlationId }) => correlationId === msgId);
  };
  return { socket, received, closed, send, next, ask };
}
