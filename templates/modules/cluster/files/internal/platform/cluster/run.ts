import cluster from 'node:cluster';
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { isatty } from 'node:tty';
import { type Static, Type } from 'typebox';
import { config as adminConfig } from '../admin/config.ts';
import { config as appConfig } from '../app/config.ts';
import { exit } from '../app/run.ts';
import { ConfigError, readConfig } from '../config/config.ts';
import { drain, listen } from '../http/connections.ts';
import { createLogger } from '../log/logger.ts';
import { createMetrics as createAllMetrics } from '../metrics/module.ts';
import { ask, clusterAdmin } from './admin.ts';
import { config } from './config.ts';
import { Supervisor, createMetrics, forkWorker } from './supervisor.ts';

/** Milliseconds that a worker gets beyond its own shutdown timeout before it is killed. */
const graceMs = 1000;

const schema = Type.Object({
  ...adminConfig.properties,
  ...appConfig.properties,
  ...config.properties,
});

/** Size that Node requires (https://nodejs.org/api/tls.html, `ticketKeys`). */
const ticketKeysBytes = 48;

/** Minimum of milliseconds for which a stopping worker still serves, while clients with open connections are asked to leave. */
const leaveMs = 500;

/**
 * Runs the service in several processes, which share its port. SIGTERM and SIGINT stop all of them, SIGHUP is passed on to all
 * workers, and SIGUSR2 replaces the workers one after another.
 * @param main the file that one process runs
 * @returns when all are ready, or about to exit
 */
export async function runCluster(main: string): Promise<void> {
  const settings = await readSettings();
  const log = (await createLogger(settings.LOG_LEVEL)).child({ module: 'cluster' });
  const metrics = createAllMetrics();
  cluster.setupPrimary({ exec: main });
  const shared = {
    // For module tls: a client that reconnects usually reaches another worker, and resumes its TLS session there.
    TLS_TICKET_KEYS: process.env['TLS_TICKET_KEYS'] ?? randomBytes(ticketKeysBytes).toString('base64'),
    SHUTDOWN_DELAY_MS: String(
      Math.max(settings.SHUTDOWN_DELAY_MS, Math.min(leaveMs, settings.SHUTDOWN_TIMEOUT_MS - 1)),
    ),
  };
  const supervisor = new Supervisor({
    count: settings.HTTP_WORKERS === 0 ? availableParallelism() : settings.HTTP_WORKERS,
    fork: () => forkWorker(shared),
    probe: async (worker, path) => (await ask(worker, path, settings.HEALTH_TIMEOUT_MS)).status === 200,
    log,
    metrics: createMetrics(metrics.registry),
    startMs: settings.START_TIMEOUT_MS,
    stopMs: settings.SHUTDOWN_TIMEOUT_MS + graceMs,
  });
  const admin = clusterAdmin(supervisor, metrics, settings);

  async function end(signal: NodeJS.Signals | undefined, failed = false): Promise<never> {
    const clean = await supervisor.stop(signal);
    await drain(admin.server, AbortSignal.timeout(graceMs));
    log.info({ clean }, 'stopped');
    return exit(log, clean && !failed ? 0 : 1);
  }
  function onSignal(signal: NodeJS.Signals): void {
    if (supervisor.phase === 'stopping') {
      supervisor.signal('SIGKILL');
      void exit(log, 1);
      return;
    }
    log.info({ signal }, 'stopping');
    // A terminal sends Ctrl+C to the workers too, and a second signal would end them at once.
    void end(signal === 'SIGINT' && isatty(1) ? undefined : 'SIGTERM');
  }
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('SIGHUP', (signal) => (isatty(1) ? onSignal(signal) : supervisor.signal(signal)));
  process.on('SIGUSR2', () => void supervisor.roll());

  try {
    await admin.ready();
    const port = await listen(admin.server, settings.ADMIN_HOST, settings.ADMIN_PORT, 'ADMIN_PORT');
    log.info({ port }, 'listening');
    await supervisor.start();
    log.info({ workers: supervisor.workers.length }, 'all workers are ready');
  } catch (err) {
    // A signal during the start ends the workers too.
    if (supervisor.phase === 'stopping') return;
    log.fatal({ err }, 'the workers could not start');
    await end('SIGTERM', true);
  }
}

async function readSettings(): Promise<Readonly<Static<typeof schema>>> {
  try {
    return readConfig(schema, process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const log = await createLogger('info');
    log.fatal({ faults: error.faults }, error.message);
    return exit(log, 1);
  }
}
