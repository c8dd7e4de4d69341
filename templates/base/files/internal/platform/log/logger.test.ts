import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { controlOf, createLogger, sampler } from './logger.ts';

/** @returns what one call writes, parsed */
async function logged(write: (log: Awaited<ReturnType<typeof createLogger>>) => void, level = 'info') {
  const lines: string[] = [];
  write(await createLogger(level, { write: (line) => void lines.push(line) }));
  return lines.map((line): unknown => JSON.parse(line));
}

function messageOf(line: string): string {
  const { msg }: { msg: string } = JSON.parse(line);
  return msg;
}

describe('the logger', () => {
  it('writes one JSON object a line, with the name of its level and the time in ISO 8601', async () => {
    const [line] = await logged((log) => log.warn({ item: 7 }, 'low'));
    expect(line).toMatchObject({ level: 'warn', item: 7, msg: 'low', service: expect.any(String) });
    expect(line).toHaveProperty('time', expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/));
  });

  it('leaves out what is below its level', async () => {
    expect(await logged((log) => log.info('no'), 'warn')).toEqual([]);
  });

  it('hides secrets at any depth, and changes nothing of the caller', async () => {
    const request = { headers: { Authorization: 'Bearer a' }, users: [{ name: 'x', newPassword: 'b' }] };
    const [line] = await logged((log) => log.info({ request, apiKey: 'c' }, 'in'));
    expect(line).toMatchObject({
      request: { headers: { Authorization: '[redacted]' }, users: [{ name: 'x', newPassword: '[redacted]' }] },
      apiKey: '[redacted]',
    });
    expect(request.headers.Authorization).toBe('Bearer a');
  });

  it('takes no yes or no for a secret, whatever its name', async () => {
    const settings = { CORS_CREDENTIALS: false, API_TOKEN: 'e', users: [{ hasPassword: true, password: 'f' }] };
    const lines = await logged((log) => {
      log.info({ usesToken: true }, 'flat');
      log.info({ config: settings }, 'starting');
    });
    expect(lines).toMatchObject([
      { usesToken: true },
      {
        config: {
          CORS_CREDENTIALS: false,
          API_TOKEN: '[redacted]',
          users: [{ hasPassword: true, password: '[redacted]' }],
        },
      },
    ]);
  });

  it('shows an error with its causes and stack, but not the secrets that hang on it', async () => {
    const error = new Error('outer', { cause: new Error('inner') });
    Object.assign(error, { config: { token: 'd' } });
    const [line] = await logged((log) => log.error({ err: error }, 'failed'));
    expect(line).toMatchObject({ err: { type: 'Error', message: 'outer: inner', config: { token: '[redacted]' } } });
    expect(line).toHaveProperty('err.stack', expect.stringContaining('logger.test.ts'));
  });

  it('survives an object that holds itself', async () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    const [line] = await logged((log) => log.info({ loop }, 'round'));
    expect(JSON.stringify(line)).toContain('[deep]');
  });
});

describe('sampling', () => {
  const sampling = { initial: 2, thereafter: 0 };

  it('drops lines, but no warning and no error, and counts them', async () => {
    const lines: string[] = [];
    const log = await createLogger('info', { write: (line) => void lines.push(line) }, sampling);
    const child = log.child({ module: 'http' });
    const [request, low, failed] = ['request', 'low', 'failed'];
    for (let count = 0; count < 5; count += 1) {
      child.info({ count }, request);
      child.warn(low);
      child.error({ err: new Error('no') }, failed);
    }
    expect(lines.map(messageOf)).toEqual([
      request,
      low,
      failed,
      request,
      low,
      failed,
      low,
      failed,
      low,
      failed,
      low,
      failed,
    ]);
    expect(controlOf(child)?.dropped).toEqual({ sampled: 3, lost: 0 });
  });

  it('counts requests by method, route and class of status, so that a rare one is kept beside a busy one', async () => {
    const lines: string[] = [];
    const log = await createLogger('info', { write: (line) => void lines.push(line) }, sampling);
    for (let count = 0; count < 5; count += 1) log.info({ method: 'GET', route: '/busy', status: 200 }, 'request');
    for (const rare of [
      { method: 'GET', route: '/rare', status: 200 },
      { method: 'POST', route: '/busy', status: 200 },
      { method: 'GET', route: '/busy', status: 404 },
      { method: 'items.v1.Items/Get', status: 'NOT_FOUND' },
    ]) {
      log.info(rare, 'request');
      expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject(rare);
    }
    log.info({ method: 'GET', route: '/busy', status: 201 }, 'request');
    expect(lines).toHaveLength(6);
  });

  it('counts a message by its pattern, not by what is put into it', async () => {
    const lines: string[] = [];
    const log = await createLogger('info', { write: (line) => void lines.push(line) }, sampling);
    for (let count = 0; count < 5; count += 1) log.info('item %d sold', count);
    expect(lines.map(messageOf)).toEqual(['item 0 sold', 'item 1 sold']);
  });
});

describe('the level', () => {
  it('changes for all loggers at once, those that are there and those to come, and back', async () => {
    const lines: string[] = [];
    const log = await createLogger('warn', { write: (line) => void lines.push(line) });
    const child = log.child({ module: 'http' });
    controlOf(child)?.changeLevel('debug');
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
      { msg: 'log level changed', from: 'warn', to: 'debug' },
    ]);
    child.debug('there');
    child.child({ requestId: '7' }).debug('to come');
    expect(lines).toHaveLength(3);
    expect(child.level).toBe('debug');
    controlOf(log)?.changeLevel();
    expect(child.level).toBe('warn');
  });
});

/** @returns which of so many lines of one message are kept, counted from 1 */
function kept(keeps: (kind: string) => boolean, message: string, lines: number): number[] {
  return Array.from({ length: lines }, (_, index) => index + 1).filter(() => keeps(message));
}

describe('the sampler', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => void vi.useRealTimers());

  it('keeps the first lines of a message, then each so many-th', () => {
    expect(kept(sampler({ initial: 3, thereafter: 4 }), 'request', 12)).toEqual([1, 2, 3, 7, 11]);
  });

  it('counts each message for itself', () => {
    const keeps = sampler({ initial: 1, thereafter: 0 });
    expect(kept(keeps, 'request', 100)).toEqual([1]);
    expect(kept(keeps, 'ready', 2)).toEqual([1]);
  });

  it('begins anew with each second', () => {
    const keeps = sampler({ initial: 2, thereafter: 0 });
    expect(kept(keeps, 'request', 3)).toEqual([1, 2]);
    vi.advanceTimersByTime(999);
    expect(kept(keeps, 'request', 3)).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(kept(keeps, 'request', 3)).toEqual([1, 2]);
  });

  it('keeps all with an interval of 1', () => {
    expect(kept(sampler({ initial: 0, thereafter: 1 }), 'request', 3)).toEqual([1, 2, 3]);
  });

  it('counts messages together when there are too many to count apart', () => {
    const keeps = sampler({ initial: 1, thereafter: 0 });
    const messages = Array.from({ length: 5000 }, (_, index) => `item ${index} sold`);
    // A thousand of their own, and the first of all the others.
    expect(messages.filter((message) => keeps(message))).toHaveLength(1001);
  });
});
