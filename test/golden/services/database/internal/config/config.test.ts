import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { ConfigError, type Environment, type Fault, checkConfig, readConfig, redactConfig } from './config.ts';

const schema = Type.Object({
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 8080, examples: [8080] }),
  RATIO: Type.Number({ minimum: 0, default: 0.5 }),
  VERBOSE: Type.Boolean({ default: false }),
  LEVEL: Type.Enum(['info', 'warn'], { default: 'info' }),
  NAME: Type.Optional(Type.String({ pattern: '^[a-z]+$' })),
});

const secret = Type.Object({ API_KEY: Type.String({ minLength: 8, secret: true, examples: ['from the vault'] }) });

function faults(env: Environment, ...schemas: Parameters<typeof checkConfig>[0]): readonly Fault[] {
  try {
    checkConfig(schemas, env);
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

  it('is silent when all is well', () => {
    expect(faults({ API_KEY: 'long enough' }, schema, secret)).toEqual([]);
  });
});

describe('redactConfig', () => {
  it('shows what is set, but no secret', () => {
    expect(redactConfig([schema, secret], { PORT: '3000', API_KEY: 'long enough' })).toEqual({
      PORT: 3000,
      RATIO: 0.5,
      VERBOSE: false,
      LEVEL: 'info',
      API_KEY: '[redacted]',
    });
  });
});
