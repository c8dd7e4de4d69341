import { describe, expect, it } from 'vitest';
import { createLogger } from './logger.ts';

/** @returns what one call writes, parsed */
async function logged(write: (log: Awaited<ReturnType<typeof createLogger>>) => void, level = 'info') {
  const lines: string[] = [];
  write(await createLogger(level, { write: (line) => void lines.push(line) }));
  return lines.map((line): unknown => JSON.parse(line));
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
