import { describe, expect, it } from 'vitest';
import { type ServiceProcess, startProcess } from '../../../scripts/service.ts';
import { linkText } from './run.ts';

/** Runs one module whose `start` gives `running`, in a process of its own. */
function run(running: string, env: NodeJS.ProcessEnv = {}, config = '{}'): ServiceProcess {
  const program = `
    import { Type } from 'typebox';
    import { run } from './internal/platform/app/run.ts';
    const forever = () => new Promise(() => {});
    const busy = setInterval(() => {}, 1000);
    const module = {
      name: 'only',
      config: Type.Object(${config}),
      requires: [],
      async start({ log, signal }) { log.info('module starts'); return ${running}; },
    };
    await run([module]);`;
  return startProcess(['--input-type=module', '--eval', program], env);
}

// Each has a process of its own, which takes its time to start: side by side.
describe.concurrent('the process', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('ends with exit code 0 after %s', async (signal) => {
    const service = run("{ stop() { log.info('module stops'); } }");
    await service.logged('ready');
    expect(await service.stop(signal)).toEqual({ code: 0, signal: null });
    expect(service.messages.slice(-3)).toEqual(['stopping', 'module stops', 'stopped']);
  });

  it('ends with exit code 0 when the signal comes during the start', async () => {
    const service = run("new Promise((_, give) => signal.addEventListener('abort', () => give(signal.reason)))");
    await service.logged('module starts');
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    expect(service.messages).not.toContain('ready');
  });

  it('ends in time, with exit code 1, when a module that starts ignores that signal', async () => {
    const service = run('forever()', { SHUTDOWN_TIMEOUT_MS: '400' });
    await service.logged('module starts');
    expect(await service.stop()).toEqual({ code: 1, signal: null });
    expect(service.messages.slice(-2)).toEqual(['start abandoned: it ignored its signal', 'stopped']);
  });

  it('ends with exit code 1 when a module does not start in time', async () => {
    const service = run('forever()', { START_TIMEOUT_MS: '100', SHUTDOWN_TIMEOUT_MS: '400' });
    expect(await service.exited).toEqual({ code: 1, signal: null });
    expect(service.messages).toContain('the service could not start');
    expect(service.output.join('\n')).toContain('only: start took longer than 100 ms');
  });

  it('ends with exit code 1 after an error that nobody caught while it stopped', async () => {
    const crash = "setTimeout(() => { throw new Error('bug'); }, 20)";
    const service = run(`{ drain: () => new Promise((done) => { ${crash}; setTimeout(done, 100); }) }`);
    await service.logged('ready');
    expect(await service.stop()).toEqual({ code: 1, signal: null });
    expect(service.messages.slice(-2)).toEqual(['uncaught error', 'stopped']);
  });

  it('reloads its modules on SIGHUP once it is ready, and goes on, whatever they throw', async () => {
    const service = run(`{
      serve: () => new Promise((done) => process.once('SIGHUP', done)),
      reload() { log.info('module reloads'); throw new Error('no such certificate'); }
    }`);
    await service.logged('module starts');
    service.process.kill('SIGHUP');
    await service.logged('not reloaded: the service is not ready');
    await service.logged('ready');
    service.process.kill('SIGHUP');
    await service.logged('reloaded');
    expect(service.messages.slice(-3)).toEqual(['module reloads', 'reload failed', 'reloaded']);
    expect(await service.stop()).toEqual({ code: 0, signal: null });
  });

  it.each([
    ['', ''],
    [' to a pipe that takes no more for the moment', 'process.stdout.isTTY;'],
  ])(
    'ends with exit code 1 when it cannot start, and loses no line%s, though it ends right after many',
    async (_what, makeNonBlocking) => {
      const many = `${makeNonBlocking} for (let n = 0; n < 5000; n += 1) log.warn('line ' + n);`;
      const service = run(`{ serve() { ${many} throw new Error('no database'); } }`);
      expect(await service.exited).toEqual({ code: 1, signal: null });
      const lines = service.messages.filter((message) => message.startsWith('line '));
      expect(lines).toEqual(Array.from({ length: 5000 }, (_, n) => `line ${n}`));
      expect(service.messages.slice(-2)).toEqual(['the service could not start', 'stopped']);
      expect(service.output.join('\n')).toContain('no database');
    },
  );

  it('loses no line when something else calls process.exit', async () => {
    const service = run("{ serve() { for (let n = 0; n < 20; n += 1) log.warn('line ' + n); process.exit(7); } }");
    expect(await service.exited).toEqual({ code: 7, signal: null });
    expect(service.messages.filter((message) => message.startsWith('line '))).toHaveLength(20);
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

  it('takes a signal that is repeated at once for one: npm forwards the Ctrl+C that the terminal has sent already', async () => {
    const service = run('{ drain: () => new Promise((done) => setTimeout(done, 300)) }');
    await service.logged('ready');
    service.process.kill('SIGINT');
    await service.logged('stopping');
    expect(await service.stop('SIGINT')).toEqual({ code: 0, signal: null });
    expect(service.messages.at(-1)).toBe('stopped');
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
        '  SHUTDOWN_DELAY_MS: expected an integer from 0 to 2147483647, got "-1" (for example 5000)',
        '  LOG_LEVEL: expected one of trace, debug, info, warn, error, fatal, silent, got "loud" (for example info)',
        '  COLOUR: expected text that is not empty, got "" (for example red)',
      ].join('\n'),
    ]);
  });
});

it('the links of a service are one line, with the URL of each path of the API', () => {
  expect(linkText({ API: 'http://localhost:8080', docs: '/docs', metrics: 'http://localhost:9090/metrics' })).toBe(
    'API http://localhost:8080, docs http://localhost:8080/docs, metrics http://localhost:9090/metrics',
  );
});
