import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { fastify, type FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { Lifecycle } from '../app/module.ts';
import { answerClientError, problem, problemOf, problemType } from '../http/problems.ts';
import { config } from '../log/config.ts';
import { controlOf, type Logger } from '../log/logger.ts';
import { type Metrics, openMetricsType } from '../metrics/module.ts';

/** The server of the admin port. */
export type Admin = ReturnType<typeof createAdmin>;

/** @returns a server that answers every error with problem details; it does not listen yet */
export function createAdmin() {
  const admin = fastify({
    clientErrorHandler: answerClientError,
    frameworkErrors: answer,
    http: { requireHostHeader: false },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false } },
  }).withTypeProvider<TypeBoxTypeProvider>();
  admin.setErrorHandler(answer);
  admin.setNotFoundHandler((_request, reply) =>
    reply
      .code(404)
      .type(problemType)
      .send(JSON.stringify(problem(404, { code: 'route_not_found' }))),
  );
  return admin;
}

function answer(error: unknown, _request: unknown, reply: FastifyReply): void {
  const told = problemOf(error);
  reply.code(told.status).type(problemType).send(JSON.stringify(told));
}

/**
 * What modules let operators do, each below a path of its own. The admin port is served before they start, and takes no further
 * routes by then: each gets a server of its own, which is handed its requests.
 */
export class Operations {
  readonly #parts = new Map<string, Admin>();

  /** @param admin the server of the admin port, before it listens */
  constructor(admin: Admin) {
    admin.addHook('onRequest', (request, reply, done) => {
      const [, path = ''] = request.url.split(/[/?]/, 2);
      const part = this.#parts.get(path);
      if (part === undefined) return done();
      reply.hijack();
      part.routing(request.raw, reply.raw);
    });
  }

  /**
   * @param path first segment of the routes, which no other module has
   * @param register adds the routes to a server that answers errors as the admin port does
   */
  async add(path: string, register: (server: Admin) => void): Promise<void> {
    const part = createAdmin();
    register(part);
    await part.ready();
    this.#parts.set(path, part);
  }
}

/**
 * Answers Kubernetes' three questions, each with 200 or 503 and a JSON body.
 * @param admin the server of the admin port
 * @param lifecycle phase and health of the service
 * @param healthTimeoutMs milliseconds that each module may take to tell its health
 */
export function probes(admin: Admin, lifecycle: Lifecycle, healthTimeoutMs: number): void {
  // Alive means that this answers at all: a restart cures neither a database that is down nor a long start.
  admin.get('/livez', () => ({ status: 'ok' }));

  admin.get('/startupz', (_request, reply) => {
    const { phase } = lifecycle;
    return reply.code(phase === 'starting' ? 503 : 200).send({ status: phase });
  });

  admin.get('/readyz', async (_request, reply) => {
    const modules = await lifecycle.health(healthTimeoutMs);
    const { phase } = lifecycle;
    const healthy = Object.values(modules).every((health) => health === 'ok');
    const status = phase === 'ready' && !healthy ? 'unhealthy' : phase;
    return reply.code(status === 'ready' ? 200 : 503).send({ status, modules });
  });
}

/**
 * `GET /metrics`, in OpenMetrics' format when the scraper names it, otherwise in Prometheus' own.
 * @param admin the server of the admin port
 * @param metrics what is measured
 */
export function metricsRoute(admin: Admin, { registry, text, openMetrics }: Metrics): void {
  admin.get('/metrics', async (request, reply) => {
    if (request.headers.accept?.includes('application/openmetrics-text')) {
      reply.type(openMetricsType);
      return openMetrics();
    }
    reply.type(registry.contentType);
    return text();
  });
}

const Change = Type.Object(
  {
    level: config.properties.LOG_LEVEL,
    forSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400 })),
  },
  { additionalProperties: false },
);

/**
 * `GET /log-level`, and `PUT /log-level` with `{"level": "debug", "forSeconds": 300}`: without `forSeconds` the level stays
 * until SIGHUP or the end of the process, otherwise the configured one is back after that time.
 * @param admin the server of the admin port
 * @param log any logger of the process
 */
export function logLevelRoutes(admin: Admin, log: Logger): void {
  const control = controlOf(log);
  if (control === undefined) return;

  admin.get('/log-level', () => control.level);

  admin.put('/log-level', { schema: { body: Change } }, ({ body: { level, forSeconds } }) => {
    control.changeLevel(level, forSeconds === undefined ? undefined : forSeconds * 1000);
    return control.level;
  });
}
