import { hash, timingSafeEqual } from 'node:crypto';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { fastify, type FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { permissionDenied } from '../../../pkg/errors/index.ts';
import { config as appConfig } from '../app/config.ts';
import { defineModule, type Lifecycle } from '../app/module.ts';
import { hasBody } from '../http/body.ts';
import { networks } from '../http/config.ts';
import { drain, listen } from '../http/connections.ts';
import { answerClientError, problem, problemOf, problemType } from '../http/problems.ts';
import { controlOf, type Logger } from '../log/logger.ts';
import { type Metrics, metrics, openMetricsType } from '../metrics/module.ts';
import { config } from './config.ts';

/** The port for operations. It listens before other modules start, so that it answers probes during the start. */
export const admin = defineModule({
  name: 'admin',
  config,
  requires: [metrics],
  async start({ config: settings, log, lifecycle, use }) {
    const server = createAdmin();
    guardChanges(server, settings.ADMIN_TOKEN);
    const value = new Operations(server);
    addProbes(server, lifecycle, settings.HEALTH_TIMEOUT_MS);
    addMetrics(server, use(metrics));
    addLogLevel(server, log);
    await server.ready();
    const port = await listen(server.server, settings.ADMIN_HOST, settings.ADMIN_PORT, 'ADMIN_PORT');
    log.info({ port }, 'listening');
    return {
      value,
      links: () => ({ health: `http://localhost:${port}/readyz`, metrics: `http://localhost:${port}/metrics` }),
      reload: () => controlOf(log)?.changeLevel(),
      async stop(deadline) {
        await drain(server.server, deadline);
        await server.close();
      },
    };
  },
});

/** The server of the admin port. */
export type Admin = ReturnType<typeof createAdmin>;

/** @returns a server that answers every error with a problem; it does not listen yet */
export function createAdmin() {
  const server = fastify({
    clientErrorHandler: answerClientError,
    frameworkErrors: answer,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false, validateSchema: false } },
  }).withTypeProvider<TypeBoxTypeProvider>();
  server.addHook('onRequest', ({ raw }, _reply, done) => {
    // Clients such as those for DELETE name a type although they send no body.
    if (!hasBody(raw)) delete raw.headers['content-type'];
    done();
  });
  server.setErrorHandler(answer);
  server.setNotFoundHandler((_request, reply) => send(reply, problem(404, { code: 'route_not_found' })));
  return server;
}

const isLoopback = networks('loopback');

/**
 * Permits requests other than GET and HEAD only from this machine, or with the token: everyone in a cluster reaches the port.
 * @param server of the admin port, before it has other hooks
 * @param token ADMIN_TOKEN
 */
export function guardChanges(server: Admin, token: string | undefined): void {
  server.addHook('onRequest', ({ method, headers, socket }, _reply, done) => {
    // A proxy or a browser on this machine may hand on the requests of others.
    const isHandedOn = ['forwarded', 'origin', 'x-forwarded-for'].some((name) => name in headers);
    const isLocal = !isHandedOn && isLoopback(socket.remoteAddress ?? '');
    if (method === 'GET' || method === 'HEAD' || isLocal) return done();
    const given = headers.authorization?.replace(/^bearer +/i, '') ?? '';
    if (token !== undefined && timingSafeEqual(digest(given), digest(token))) return done();
    return done(permissionDenied('Changes come from the machine of the service, or with ADMIN_TOKEN as bearer token.'));
  });
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

function answer(error: unknown, _request: unknown, reply: FastifyReply): void {
  send(reply, problemOf(error));
}

function send(reply: FastifyReply, body: ReturnType<typeof problem>): void {
  reply.code(body.status).type(problemType).send(JSON.stringify(body));
}

/**
 * Lets other modules add routes for operators. Fastify takes no routes after the start of the admin port, so each module gets a server
 * of its own for one path, and the admin port passes its requests on.
 */
export class Operations {
  readonly #parts = new Map<string, Admin>();

  /** @param server of the admin port, before it listens */
  constructor(server: Admin) {
    server.addHook('onRequest', (request, reply, done) => {
      const [, path = ''] = request.url.split(/[/?]/, 2);
      const part = this.#parts.get(path);
      if (part === undefined) return done();
      reply.hijack();
      part.routing(request.raw, reply.raw);
    });
  }

  /**
   * @param path first segment of the routes; no other module may use it
   * @param register adds the routes
   */
  async add(path: string, register: (server: Admin) => void): Promise<void> {
    const part = createAdmin();
    register(part);
    await part.ready();
    this.#parts.set(path, part);
  }
}

/** The three probes of Kubernetes. */
function addProbes(server: Admin, lifecycle: Lifecycle, healthTimeoutMs: number): void {
  // Alive while the process answers. A restart helps neither against a database that is down nor against a slow start.
  server.get('/livez', () => ({ status: 'ok' }));

  server.get('/startupz', (_request, reply) => {
    const { phase } = lifecycle;
    return reply.code(phase === 'starting' ? 503 : 200).send({ status: phase });
  });

  server.get('/readyz', async (_request, reply) => {
    const modules = await lifecycle.health(healthTimeoutMs);
    const { phase } = lifecycle;
    const healthy = Object.values(modules).every((health) => typeof health === 'string');
    const status = phase === 'ready' && !healthy ? 'unhealthy' : phase;
    return reply.code(status === 'ready' ? 200 : 503).send({ status, modules });
  });
}

/** `GET /metrics`, in the format of OpenMetrics if the scraper accepts it, otherwise in that of Prometheus. */
function addMetrics(server: Admin, { registry, text, openMetrics }: Metrics): void {
  server.get('/metrics', async (request, reply) => {
    const isOpen = request.headers.accept?.includes('application/openmetrics-text') ?? false;
    reply.type(isOpen ? openMetricsType : registry.contentType);
    return isOpen ? openMetrics() : text();
  });
}

const LevelChange = Type.Object({ level: appConfig.properties.LOG_LEVEL }, { additionalProperties: false });

/** `GET /log-level`, and `PUT /log-level` with `{"level": "debug"}`. The level stays until SIGHUP or the end of the process. */
function addLogLevel(server: Admin, log: Logger): void {
  server.get('/log-level', () => ({ level: log.level }));
  server.put('/log-level', { schema: { body: LevelChange } }, ({ body: { level } }) => {
    controlOf(log)?.changeLevel(level);
    return { level: log.level };
  });
}
