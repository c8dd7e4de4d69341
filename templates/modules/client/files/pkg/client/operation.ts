/** Where an operation of an API is found: a row of the table that is printed from its contract. */
export interface Operation {
  readonly method: string;
  /** With the names of parameters in braces: `/items/{id}`. */
  readonly path: string;
  /** Of the body that is sent. */
  readonly mediaType?: string;
  /** Whether the service carries the request out once, however often it is sent with one Idempotency-Key. */
  readonly takesIdempotencyKey?: boolean;
}

/** What an operation is sent. */
export interface Input {
  /** In place of path and query. */
  readonly at?: string | URL;
  readonly path?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

/** What an operation answers, when it is no error. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/** What one operation is sent, and what it answers. */
export interface OperationType {
  readonly request: Input;
  readonly reply: Reply;
  /** What it answers to those who ask for another media type. */
  readonly alternatives?: Readonly<Record<string, Reply>>;
}

/** Types of the operations of an API, by `operationId`: printed from its contract. */
export type OperationTypes = Readonly<Record<string, OperationType>>;
