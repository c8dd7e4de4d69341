import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import {
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
  create,
  fromBinary,
  toBinary,
} from '@bufbuild/protobuf';
import { Context, type Trace, givenUp, runWith } from '../../../pkg/context/index.ts';
import type { BodyMemory } from '../http/body/bodyMemory.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { fault } from './faults.ts';
import { FrameReader, frame } from './frames.ts';
import type { Method } from './method.ts';
import { type Status, ok, trailersOf } from './status.ts';
import type { Unread } from './unread.ts';

const responseHeaders = {
  ':status': 200,
  'content-type': 'application/grpc+proto',
  'grpc-accept-encoding': 'identity',
} as const;
const okTrailers = trailersOf(ok);
const cancelled = 'the client cancelled the call';
/** Code of the error that a client makes which does not read what it is sent. */
export const stalledReader = 'reader_stalled';

/** What a call is made of. */
export interface CallOptions {
  readonly id: string;
  readonly trace: Trace;
  readonly method: Method;
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  /** Address of the client. */
  readonly peer: string;
  /** By `performance.now()`. */
  readonly deadline: number;
  /** Largest message in bytes. */
  readonly messageLimit: number;
  /** Shares out the memory that the messages of all calls may take. */
  readonly memory: BodyMemory;
  /** Looks after those whose clients do not read. */
  readonly unread: Unread;
  /** Aborts when the service begins to stop: streams without an end then come to one. */
  readonly stopping: AbortSignal;
  /** Records what is done for the call, and what goes on after it. */
  readonly tracing: Tracing;
  /** Hears once how the call ended. */
  readonly ended: (call: Call, status: Status) => void;
}

/** One call, and the context of all that is done for it. */
export class Call extends Context {
  readonly method: Method;
  /** Metadata of the client, by names in lower case. */
  readonly headers: IncomingHttpHeaders;
  readonly peer: string;
  readonly stopping: AbortSignal;
  /** By `performance.now()`. */
  readonly begun = performance.now();
  readonly #options: CallOptions;
  readonly #stream: ServerHttp2Stream;
  #isOver = false;

  /** @param options what it is made of */
  constructor(options: CallOptions) {
    super(options);
    const { method, headers, peer, stopping, stream } = options;
    this.method = method;
    this.headers = headers;
    this.peer = peer;
    this.stopping = stopping;
    this.#options = options;
    this.#stream = stream;
    stream.once('close', () => this.#closed());
  }

  override detached(name: string): Context {
    return this.#options.tracing.detached(name, this);
  }

  override ended(): Error | undefined {
    const { aborted, closed, destroyed, rstCode } = this.#stream;
    return super.ended() ?? (aborted || closed || destroyed || rstCode !== 0 ? givenUp(cancelled) : undefined);
  }

  /** Whether its status is decided: nothing is sent any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Reads the request of a method that takes one.
   * @param schema of the request
   * @returns the message
   * @throws {ServiceError} when it is too large, not whole, no such message, or not alone
   */
  async request<Schema extends DescMessage>(schema: Schema): Promise<MessageShape<Schema>> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const reader = this.#reader();
    const stream = this.#stream;
    let found: Uint8Array | undefined;
    let isWhole = false;
    const end = (): void => {
      isWhole = true;
      try {
        reader.end();
        if (found === undefined) throw fault('message_missing', 'INVALID_ARGUMENT', 'One message was expected.');
        resolve(found);
      } catch (error) {
        reject(error);
      }
    };
    // What stands before the handler may have taken its time: by now the client may be gone, or have ended without a byte.
    this.throwIfEnded();
    if (stream.readableEnded) end();
    stream.on('data', (chunk: Buffer) => {
      try {
        for (const message of reader.push(chunk)) {
          if (found !== undefined) throw fault('messages_too_many', 'INVALID_ARGUMENT', 'One message was expected.');
          found = message;
        }
      } catch (error) {
        reject(error);
      }
    });
    stream.once('end', end);
    stream.once('close', () => {
      // Errors are dear.
      if (!isWhole) reject(givenUp(cancelled));
    });
    return decode(schema, await promise);
  }

  /**
   * Reads the requests of a method that takes a stream: no further than they are asked for, so that a client that sends faster
   * than it is served has to wait.
   * @param schema of the requests
   * @yields one after another
   * @throws {ServiceError} as `request`
   */
  async *requests<Schema extends DescMessage>(schema: Schema): AsyncGenerator<MessageShape<Schema>, void> {
    const reader = this.#reader();
    try {
      const chunks: AsyncIterable<Buffer> = this.#stream.iterator({ destroyOnReturn: false });
      for await (const chunk of chunks) {
        for (const message of reader.push(chunk)) yield decode(schema, message);
        reader.release();
      }
    } catch (error) {
      // What Node says of a stream that was reset tells less than why it was.
      throw this.ended() ?? error;
    }
    this.throwIfEnded();
    reader.end();
  }

  /**
   * Sends a message of a stream.
   * @param schema of the message
   * @param message to be sent
   * @returns when there is room for the next one: a client that reads slowly is waited for
   * @throws {ServiceError} when the call is over, also because its client has not read for too long
   */
  async send<Schema extends DescMessage>(schema: Schema, message: MessageInitShape<Schema>): Promise<void> {
    this.throwIfEnded();
    const bytes = frame(toBinary(schema, create(schema, message)));
    if (this.#isOver) throw givenUp('the call is over');
    this.#respond();
    if (!this.#stream.write(bytes)) await this.#drained();
  }

  /**
   * Sends the one reply of a method that gives one; with it the call ends well.
   * @param schema of the reply
   * @param message to be sent
   * @throws {ServiceError} when the call is over, or out of time
   */
  reply<Schema extends DescMessage>(schema: Schema, message: MessageInitShape<Schema>): void {
    this.throwIfEnded();
    const bytes = frame(toBinary(schema, create(schema, message)));
    this.#respond();
    this.#over(ok);
    this.#endWith(okTrailers, bytes);
  }

  /**
   * Ends the call, unless it has ended.
   * @param status what its client learns
   */
  end(status: Status): void {
    if (this.#isOver) return;
    this.#over(status);
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    const trailers = status === ok ? okTrailers : trailersOf(status);
    if (stream.headersSent) {
      this.#endWith(trailers);
      return;
    }
    stream.respond({ ...responseHeaders, ...trailers }, { endStream: true });
    this.#dismiss();
  }

  /** Gives up a call whose client does not read; also one that has ended, of which something is still on its way. */
  abandon(): void {
    if (!this.#isOver) this.#over({ name: 'RESOURCE_EXHAUSTED', code: stalledReader });
    // Trailers would have to wait behind what the client does not read.
    this.#stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  #reader(): FrameReader {
    return new FrameReader({ limit: this.#options.messageLimit, hold: (bytes) => this.#hold(bytes) });
  }

  #hold(bytes: number): void {
    if (this.#options.memory.hold(this, bytes)) return;
    this.throwIfEnded();
    throw fault('memory_exhausted', 'RESOURCE_EXHAUSTED', 'The service has no memory for the message. Try again.');
  }

  #respond(): void {
    if (this.#stream.destroyed || this.#stream.headersSent) return;
    this.#stream.respond(responseHeaders, { waitForTrailers: true });
    this.#stream.once('wantTrailers', () => {
      // All before them is read, and they wait for nobody.
      this.#options.unread.delete(this);
      this.#stream.sendTrailers(this.#trailers);
      this.#dismiss();
    });
  }

  #trailers: Record<string, string> = okTrailers;

  #endWith(trailers: Record<string, string>, last?: Buffer): void {
    this.#trailers = trailers;
    this.#options.unread.add(this);
    if (last === undefined) this.#stream.end();
    else this.#stream.end(last);
  }

  /** Nobody reads what the client still sends: it is told to stop (RFC 9113, 8.1). */
  #dismiss(): void {
    const stream = this.#stream;
    if (stream.readableEnded) return;
    setImmediate(() => {
      if (!stream.readableEnded && !stream.closed) stream.close(constants.NGHTTP2_NO_ERROR);
      // Its 'close' would wait for a reader of what has come already.
      stream.resume();
    });
  }

  async #drained(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stream = this.#stream;
    const closed = (): void => reject(this.ended() ?? givenUp('the call is over'));
    this.#options.unread.add(this);
    stream.once('drain', resolve);
    stream.once('close', closed);
    try {
      await promise;
    } finally {
      // The last words of a call that has ended are still on their way.
      if (!this.#isOver) this.#options.unread.delete(this);
      stream.off('drain', resolve);
      stream.off('close', closed);
    }
  }

  #closed(): void {
    this.#options.unread.delete(this);
    if (!this.#isOver) this.#over({ name: 'CANCELLED', code: 'cancelled' }, cancelled);
  }

  #over(status: Status, reason = `the call ended with ${status.name}`): void {
    this.#isOver = true;
    runWith(this, this.#options.ended, this, status);
    this.cancel(status === ok ? undefined : givenUp(reason));
  }
}

function decode<Schema extends DescMessage>(schema: Schema, bytes: Uint8Array): MessageShape<Schema> {
  try {
    return fromBinary(schema, bytes);
  } catch (error) {
    throw fault('message_malformed', 'INVALID_ARGUMENT', `This is no ${schema.typeName}.`, error);
  }
}
