import { ServiceError, type ServiceErrorOptions } from '../../../pkg/errors/index.ts';

/** No server answers, or the connection broke. Whether a commit under way went through is not known. */
export class DatabaseUnavailableError extends ServiceError {
  constructor(cause: unknown) {
    super({
      code: 'database_unavailable',
      status: 503,
      publicMessage: 'The database is out of reach. Try again.',
      cause,
    });
  }
}

/** No connection of the pool became free in time. */
export class PoolExhaustedError extends ServiceError {
  constructor(cause: unknown) {
    super({ code: 'database_busy', status: 503, publicMessage: 'The database is busy. Try again.', cause });
  }
}

/** The connection was taken away from code that held it for longer than POSTGRES_CHECKOUT_MAX_MS. */
export class CheckoutReclaimedError extends Error {
  override readonly name = 'CheckoutReclaimedError';

  constructor(cause?: unknown) {
    super('The database connection was taken away: it was held for longer than POSTGRES_CHECKOUT_MAX_MS', { cause });
  }
}

const concurrentChange = {
  code: 'concurrent_change',
  status: 409,
  retryable: true,
  publicMessage: 'Others changed the same data. Try again.',
};

/** What callers learn of an SQLSTATE; every other one is an internal error. PostgreSQL's documentation, appendix A. */
const known = new Map<string, Omit<ServiceErrorOptions, 'cause'>>([
  ['23505', { code: 'already_exists', status: 409, grpcStatus: 'ALREADY_EXISTS', publicMessage: 'It exists already.' }],
  [
    '23503',
    {
      code: 'reference_broken',
      status: 409,
      grpcStatus: 'FAILED_PRECONDITION',
      publicMessage: 'It refers to something missing, or is referred to.',
    },
  ],
  ['40001', concurrentChange],
  ['40P01', concurrentChange],
  ['55P03', concurrentChange],
  ['57014', { code: 'database_timeout', status: 504, publicMessage: 'The database took too long.' }],
]);

/** Connection exceptions, too many connections, and a server that shuts down or starts. */
const unavailable = /^(08...|53300|57P0[123]|ECONN\w+|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;
/** What node-postgres says, without a code, of a connection that is gone. */
const gone = /^(Connection terminated|Client (was closed|has encountered a connection error))/;

/**
 * @param error what a query threw
 * @returns the same in the words of `pkg/errors`, the original its cause; what has no such words is returned as it is
 */
export function databaseError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = codeOf(error);
  if (unavailable.test(code ?? '') || gone.test(error.message)) return new DatabaseUnavailableError(error);
  const words = known.get(code ?? '');
  return words === undefined ? error : new ServiceError({ ...words, cause: error });
}

/**
 * @param error what the pool threw instead of giving a connection
 * @returns whether all were in use, or no server answered
 */
export function connectError(error: unknown): PoolExhaustedError | DatabaseUnavailableError {
  // The pool has no class and no code for it.
  const exhausted = error instanceof Error && error.message === 'timeout exceeded when trying to connect';
  return exhausted ? new PoolExhaustedError(error) : new DatabaseUnavailableError(error);
}

/**
 * @param error anything that was thrown
 * @returns the SQLSTATE of it or of its causes, if the database threw it: '23505' say
 */
export function sqlState(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = codeOf(cause);
    if (code !== undefined && /^[0-9A-Z]{5}$/.test(code)) return code;
  }
  return undefined;
}

function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
