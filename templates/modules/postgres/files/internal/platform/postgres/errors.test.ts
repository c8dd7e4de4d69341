import { describe, expect, it } from 'vitest';
import { ServiceError } from '../../../pkg/errors/index.ts';
import { DatabaseUnavailableError, PoolExhaustedError, connectError, databaseError, sqlState } from './errors.ts';

const withCode = (code: string) => Object.assign(new Error('internal words'), { code });

describe('databaseError', () => {
  it.each(['08006', '25006', '53300', '57P01', '57P03', '57P05', 'ECONNRESET', 'ENOTFOUND'])(
    'treats %s as a database that is unavailable',
    (code) => {
      expect(databaseError(withCode(code))).toBeInstanceOf(DatabaseUnavailableError);
    },
  );

  it.each(['Connection terminated unexpectedly', 'Client was closed and is not queryable'])('knows "%s"', (message) => {
    expect(databaseError(new Error(message))).toBeInstanceOf(DatabaseUnavailableError);
  });

  it('hides the message of the database from callers', () => {
    const error = databaseError(withCode('23505'));
    expect(error).toBeInstanceOf(ServiceError);
    expect(String(error)).not.toContain('internal words');
    expect(sqlState(error)).toBe('23505');
  });

  it('is retryable or not', () => {
    expect(databaseError(withCode('40001'))).toMatchObject({ status: 409, retryable: true });
    expect(databaseError(withCode('23505'))).toMatchObject({
      status: 409,
      grpcStatus: 'ALREADY_EXISTS',
      retryable: false,
    });
    expect(databaseError(withCode('08006'))).toMatchObject({ status: 503, retryable: true });
  });

  it('returns other errors unchanged', () => {
    const syntax = withCode('42601');
    expect(databaseError(syntax)).toBe(syntax);
    expect(databaseError('no error')).toBe('no error');
  });
});

describe('connectError', () => {
  it('distinguishes a full pool from a server that does not answer', () => {
    expect(connectError(new Error('timeout exceeded when trying to connect'))).toBeInstanceOf(PoolExhaustedError);
    expect(connectError(withCode('ECONNREFUSED'))).toBeInstanceOf(DatabaseUnavailableError);
  });
});

describe('sqlState', () => {
  it('is undefined when the database did not throw the error', () => {
    expect(sqlState(new Error('other', { cause: 'text' }))).toBeUndefined();
    expect(sqlState(withCode('ECONNREFUSED'))).toBeUndefined();
    expect(sqlState(undefined)).toBeUndefined();
  });
});
