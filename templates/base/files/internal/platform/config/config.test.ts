import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { atMost, checkConfig, ConfigError, type Environment, type Fault, readConfig } from './config.ts';

const schema = Type.Object({
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 8080, examples: [8080] }),
  RATIO: Type.Number({ minimum: 0, default: 0.5 }),
  VERBOSE: Type.Boolean({ default: false }),
  LEVEL: Type.Enum(['info', 'warn'], { default: 'info' }),
  NAME: Type.Optional(Type.String({ pattern: '^[a-z]+$' })),
});

const secret = Type.Object({ API_KEY: Type.String({ minLength: 8, secret: true, examples: ['from the vault'] }) });

function faults(env: Environment, ...schemas: Parameters<typeof checkConfig>[0]): readonly Fault[] {
  return faultsIn(() => checkConfig(schemas, env));
}

function faultsIn(check: () => void): readonly Fault[] {
  try {
    check();
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

describe('readConfig', () => {
  it('gives the defaults when nothing is set', () => {
    expect(readConfig(schema, {})).toEqual({ PORT: 8080, RATIO: 0.5, VERBOSE: false, LEVEL: 'info' });
  });

  it('converts text to what the schema says', () => {
    const env = { PORT: '3000', RATIO: '-0.25', VERBOSE: 'true', LEVEL: 'warn', NAME: 'orders', HOME: '/home' };
    expect(readConfig(schema, { ...env, RATIO: '0.25' })).toEqual({
      PORT: 3000,
      RATIO: 0.25,
      VERBOSE: true,
      LEVEL: 'warn',
      NAME: 'orders',
    });
    expect(() => readConfig(schema, env)).toThrow(ConfigError);
  });

  it('takes an empty variable for one that is not set', () => {
    expect(readConfig(schema, { PORT: '', NAME: '' })).toMatchObject({ PORT: 8080 });
  });

  it('cannot be changed afterwards', () => {
    expect(Object.isFrozen(readConfig(schema, {}))).toBe(true);
  });

  it.each(['80a', '1e3', '0x50', '80.5', ' 80', '-1', '65536', 'Infinity', 'NaN'])('refuses the port "%s"', (PORT) => {
    expect(faults({ PORT }, schema)).toEqual([
      { variable: 'PORT', expected: 'an integer from 0 to 65535', given: PORT, example: '8080' },
    ]);
  });

  it.each(['2147483648', '99999999999999999999'])(
    'refuses the whole number %s, which no timer could wait for',
    (MS) => {
      const waiting = Type.Object({ MS: Type.Integer({ minimum: 1, default: 100 }) });
      expect(faults({ MS }, waiting)).toEqual([
        { variable: 'MS', expected: 'an integer from 1 to 2147483647', given: MS },
      ]);
      expect(() => readConfig(waiting, { MS })).toThrow(ConfigError);
      expect(readConfig(Type.Object({ MS: Type.Integer({ maximum: 1e12 }) }), { MS: '2147483648' }).MS).toBe(2 ** 31);
    },
  );

  it('says what a number has to be that has no minimum', () => {
    const bounded = Type.Object({ A: Type.Number(), B: Type.Integer({ maximum: 9 }) });
    expect(faults({ A: '1e3', B: '10' }, bounded)).toEqual([
      { variable: 'A', expected: 'a number of at most 2147483647', given: '1e3' },
      { variable: 'B', expected: 'an integer of at most 9', given: '10' },
    ]);
  });

  it.each(['yes', '1', 'TRUE'])('refuses the boolean "%s"', (VERBOSE) => {
    expect(faults({ VERBOSE }, schema)).toEqual([{ variable: 'VERBOSE', expected: 'true or false', given: VERBOSE }]);
  });
});

describe('checkConfig', () => {
  it('reports every fault of every schema at once', () => {
    const env = { PORT: 'x', RATIO: '-1', VERBOSE: 'x', LEVEL: 'loud', NAME: 'A' };
    expect(faults(env, schema, secret).map(({ variable }) => variable)).toEqual([
      'PORT',
      'RATIO',
      'VERBOSE',
      'LEVEL',
      'NAME',
      'API_KEY',
    ]);
  });

  it('says what is expected, what was given, and gives an example', () => {
    expect(() => checkConfig([schema], { PORT: '99999', LEVEL: 'loud', NAME: 'A' })).toThrow(
      [
        'The configuration is not valid:',
        '  PORT: expected an integer from 0 to 65535, got "99999" (for example 8080)',
        '  LEVEL: expected one of info, warn, got "loud"',
        '  NAME: expected text that matches ^[a-z]+$, got "A"',
      ].join('\n'),
    );
  });

  it('never repeats a secret', () => {
    expect(faults({ API_KEY: 'short' }, secret)).toEqual([
      { variable: 'API_KEY', expected: 'text of at least 8 characters', example: 'from the vault' },
    ]);
  });

  it('reports a contradiction beside other faults, but not between settings that are faulty themselves', () => {
    const range = Type.Object({ LOW: Type.Integer({ default: 1 }), HIGH: Type.Integer({ default: 5 }) });
    const rules = [atMost(range, 'LOW', 'HIGH')];
    const contradiction = { variable: 'LOW', expected: 'at most HIGH, which is 5', given: '7', example: '5' };
    const check = (env: Environment): readonly Fault[] => faultsIn(() => checkConfig([range, schema], env, rules));
    expect(check({ LOW: '7', PORT: 'x' })).toEqual([expect.objectContaining({ variable: 'PORT' }), contradiction]);
    expect(check({ LOW: '7', HIGH: 'x' })).toEqual([expect.objectContaining({ variable: 'HIGH' })]);
    expect(check({ LOW: '5' })).toEqual([]);
    // Another process of the same service has not all of the settings.
    expect(faultsIn(() => checkConfig([schema], { LOW: '7' }, rules))).toEqual([]);
  });

  it('is silent when all is well', () => {
    expect(faults({ API_KEY: 'long enough' }, schema, secret)).toEqual([]);
  });
});
