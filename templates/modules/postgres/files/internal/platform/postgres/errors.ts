import { ServiceError, type ServiceErrorOptions } from '../../../pkg/errors/index.ts';

const retryAfterMs = 1000;

/** No server answers, the connection broke, or it is read-only. Whether a commit in progress succeeded is unknown. */
export class DatabaseUnavailableError extends ServiceError {
  constructor(cause: unknown) {
    const publicMessage = 'The database is unavailable. Try again.';
    super({ code: 'database_unavailable', status: 503, publicMessage, retryAfterMs, cause });
  }
}

/** No connection of the pool became free in time. */
export class PoolExhaustedError extends ServiceError {
  constructor(cause: unknown) {
    const publicMessage = 'The database is busy. Try again.';
    super({ code: 'database_busy', status: 503, publicMessage, retryAfterMs, cause });
  }
}

const concurrentChange = {
  code: 'concurrent_change',
  status: 409,
  retryable: true,
  publicMessage: 'Another request changed the same data. Try again.',
};
const brokenReference = {
  code: 'reference_broken',
  status: 409,
  grpcStatus: 'FAILED_PRECONDITION',
  publicMessage: 'It refers to something that does not exist, or something refers to it.',
} as const;
const invalidValue = { code: 'invalid_value', status: 400, publicMessage: 'A value is missing or not valid.' };

/** The public error of an SQLSTATE; any other SQLSTATE is an internal error. PostgreSQL's documentation, appendix A. */
const publicErrors: Readonly<Record<string, Omit<ServiceErrorOptions, 'cause'>>> = {
  '23505': {
    code: 'already_exists',
    status: 409,
    grpcStatus: 'ALREADY_EXISTS',
    publicMessage: 'It exists already.',
  },
  '23P01': { code: 'overlaps', status: 409, publicMessage: 'It conflicts with something that exists already.' },
  '23001': brokenReference,
  '23503': brokenReference,
  '40001': concurrentChange,
  '40P01': concurrentChange,
  '55P03': concurrentChange,
  '57014': { code: 'database_timeout', status: 504, publicMessage: 'The database took too long.' },
};

/**
 * States that the input of a client can cause: too long, out of range, not a date, zero bytes and lone surrogates, text that is no
 * number or JSON, a negative limit or offset, null, a failed check.
 */
const inputStates = /^(22001|2200[3789]|22021|22023|2202[46]|2201[WX]|2203\w|22P0[2356]|23502|23514)$/;
/** Connection exceptions, too many connections, a server that shuts down or starts, a database that is dropped. */
const unavailable = /^(08...|53300|57P0[1-5]|ECONN\w+|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;
/**
 * What a standby says, as `SQLSTATE:routine`: PostgreSQL has no SQLSTATE of its own for serializable transactions and for locks there, and
 * its messages are translated.
 */
const standby = /^(0A000:(call_enum_check_hook|GetSerializableTransactionSnapshot)|55000:LockAcquireExtended)$/;
/** Messages of node-postgres, without a code, for a connection that is closed. */
const closed = /^(Connection terminated|Client (was closed|has encountered a connection error))/;

/**
 * @param error what a query threw
 * @returns the public error for it, with the original as its cause; the original when there is none
 */
export function databaseError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = codeOf(error) ?? '';
  if (unavailable.test(code) || isReadOnly(error) || closed.test(error.message))
    return new DatabaseUnavailableError(error);
  const options = inputStates.test(code) ? invalidValue : publicErrors[code];
  return options === undefined ? error : new ServiceError({ ...options, cause: error });
}

/**
 * @param error what a query threw
 * @returns whether the server is read-only: a standby, or a primary that was replaced in a failover
 */
export function isReadOnly(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  // read_only_sql_transaction
  return code === '25006' || ('routine' in error && standby.test(`${code}:${String(error.routine)}`));
}

/**
 * @param error what the pool threw instead of giving a connection
 * @returns whether all connections were in use, or no server answered
 */
export function connectError(error: unknown): PoolExhaustedError | DatabaseUnavailableError {
  // The pool has no class and no code for it.
  const exhausted = error instanceof Error && error.message === 'timeout exceeded when trying to connect';
  return exhausted ? new PoolExhaustedError(error) : new DatabaseUnavailableError(error);
}

/**
 * @param error any thrown value
 * @returns the SQLSTATE of it or of its causes, such as '23505'; undefined when the database did not throw it
 */
export function sqlState(error: unknown): string | undefined {
  const cause = causeIn(error);
  return cause && codeOf(cause);
}

/**
 * @param error any thrown value
 * @returns the name of the constraint that a statement violates, such as `orders_sku_key`; undefined when it violates none
 */
export function violatedConstraint(error: unknown): string | undefined {
  const cause = causeIn(error);
  return cause && 'constraint' in cause && typeof cause.constraint === 'string' ? cause.constraint : undefined;
}

/** @returns what the database threw: the error itself, or one of its causes */
function causeIn(error: unknown): Error | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (/^[0-9A-Z]{5}$/.test(codeOf(cause) ?? '')) return cause;
  }
  return undefined;
}

function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
