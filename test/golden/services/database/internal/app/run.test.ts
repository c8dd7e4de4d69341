import { describe, expect, it } from 'vitest';
import { type ServiceProcess, startProcess } from '../../test/support/service.ts';

/** Runs one module whose `start` gives `running`, in a process of its own. */
function run(running: string, env: NodeJS.ProcessEnv = {}, config = '{}'): ServiceProcess {
  const program = `
    import { Type } from 'typebox';
    import { run } from './internal/app/run.ts';
    const forever = () => new Promise(() => {});
    const busy = setInterval(() => {}, 1000);
    const module = {
      name: 'only',
      config: Type.Object(${config}),
      requires: [],
      async start({ log }) { log.info('module starts'); return ${running}; },
    };
    await run([module]);`;
  return startProcess(['--input-type=module', '--eval', program], env);
}

describe('the process', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('ends with exit code 0 after %s', async (signal) => {
    const service = run("{ stop() { log.info('module stops'); } }");
    await service.logged('ready');
    expect(await service.stop(signal)).toEqual({ code: 0, signal: null });
    expect(service.messages.slice(-3)).toEqual(['stopping', 'module stops', 'stopped']);
  });

  it('ends with exit code 0 when the signal comes during the start', async () => {
    const service = run('forever()');
    await service.logged('module starts');
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    expect(service.messages).not.toContain('ready');
  });

  it('ends with exit code 1 when a module does not stop in time', async () => {
    const service = run('{ stop: forever }', { SHUTDOWN_TIMEOUT_MS: '200' });
    await service.logged('ready');
    expect(await service.stop()).toEqual({ code: 1, signal: null });
    expect(service.messages.slice(-2)).toEqual(['stop failed', 'stopped']);
  });

  it('ends at once, with exit code 1, on a second signal', async () => {
    const service = run('{ drain: forever }');
    await service.logged('ready');
    service.process.kill('SIGTERM');
    await service.logged('stopping');
    expect(await service.stop('SIGINT')).toEqual({ code: 1, signal: null });
    expect(service.messages.at(-1)).toBe('second signal: exit at once');
  });

  it.each([
    [
      'an error nobody caught',
      "{ serve() { setTimeout(() => { throw new Error('bug'); }, 50); }, stop() { log.info('module stops'); } }",
    ],
    [
      'a rejection nobody handled',
      "{ serve() { setTimeout(() => Promise.reject(new Error('bug')), 50); }, stop() { log.info('module stops'); } }",
    ],
  ])('stops its modules and ends with exit code 1 after %s', async (_what, running) => {
    const service = run(running, { SHUTDOWN_DELAY_MS: '10000' });
    expect(await service.exited).toEqual({ code: 1, signal: null });
    expect(service.messages.slice(-3)).toEqual(['uncaught error', 'module stops', 'stopped']);
  });

  it('ends with exit code 1 when it cannot start', async () => {
    const service = run("Promise.reject(new Error('no database'))");
    expect(await service.exited).toEqual({ code: 1, signal: null });
    expect(service.messages).toContain('the service could not start');
    expect(service.output.join('\n')).toContain('no database');
  });

  it('ends with exit code 1 and names every fault of its configuration', async () => {
    const service = run(
      '{ value: undefined }',
      { LOG_LEVEL: 'loud', SHUTDOWN_DELAY_MS: '-1', COLOUR: '' },
      "{ COLOUR: Type.String({ examples: ['red'] }) }",
    );
    expect(await service.exited).toEqual({ code: 1, signal: null });
    expect(service.messages).toEqual([
      [
        'The configuration is not valid:',
        '  SHUTDOWN_DELAY_MS: expected an integer of at least 0, got "-1" (for example 5000)',
        '  LOG_LEVEL: expected one of trace, debug, info, warn, error, fatal, silent, got "loud" (for example info)',
        '  COLOUR: expected text that is not empty, got "" (for example red)',
      ].join('\n'),
    ]);
  });

  it('refuses to wait so long that no time is left to stop', async () => {
    const service = run('{ value: undefined }', { SHUTDOWN_DELAY_MS: '5000', SHUTDOWN_TIMEOUT_MS: '5000' });
    expect(await service.exited).toEqual({ code: 1, signal: null });
    expect(service.messages[0]).toContain('less than SHUTDOWN_TIMEOUT_MS, which is 5000, got "5000"');
  });

  it('shows its configuration in the log, but no secret', async () => {
    const service = run(
      '{ value: undefined }',
      { DATABASE_URL: 'postgres://me:hunter2@db/orders' },
      '{ DATABASE_URL: Type.String({ secret: true }) }',
    );
    await service.logged('ready');
    await service.stop();
    expect(service.output[0]).toContain('"DATABASE_URL":"[redacted]"');
    expect(service.output.join('\n')).not.toContain('hunter2');
  });
});
