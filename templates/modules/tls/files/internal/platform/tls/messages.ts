import {
  Http2ServerRequest,
  Http2ServerResponse,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
  constants,
} from 'node:http2';
import type { ReadableOptions } from 'node:stream';
import { isOfHttp2 } from './connections.ts';

/** What HTTP/2 adds to each header when it counts them (RFC 9113, 6.5.2), in bytes. */
const headerOverhead = 32;

/** A request by HTTP/2 as those know it that know Node's of HTTP/1.1. */
export class Request extends Http2ServerRequest {
  /**
   * @param stream on which it came
   * @param headers its headers, with those of HTTP/2 itself
   * @param options of a stream
   * @param rawHeaders names and values in turn
   */
  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    options: ReadableOptions,
    rawHeaders: readonly string[],
  ) {
    super(stream, headers, options, rawHeaders);
    // RFC 9113, 8.3.1: they mean the same.
    headers.host ??= headers[':authority'];
  }

  /** Bytes of its headers, as HTTP/2 counts them. */
  get headerBytes(): number {
    const { rawHeaders } = this;
    let bytes = (rawHeaders.length / 2) * headerOverhead;
    for (const text of rawHeaders) bytes += text.length;
    return bytes;
  }
}

/** A reply by HTTP/2 as those know it that know Node's of HTTP/1.1. */
export class Reply extends Http2ServerResponse<Request> {
  /** @param stream on which it goes out */
  constructor(stream: ServerHttp2Stream) {
    super(stream);
    // Nobody will read the rest of a body: its client may stop sending it (RFC 9113, 8.1).
    if (!stream.endAfterHeaders) {
      stream.once('finish', () => {
        if (!this.req.complete) stream.close(constants.NGHTTP2_NO_ERROR);
      });
    }
  }

  /** A reply that is broken off must not be taken for a whole one: without an error, Node would say that there was none. */
  override destroy(error = new Error('the reply was broken off')): this {
    super.destroy(error);
    return this;
  }

  /** Node says 'finish' whenever a stream has closed, also of one that was reset. */
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    return event === 'finish' && !this.writableFinished ? false : super.emit(event, ...args);
  }
}

// To TypeScript these are fields, of which a class can make no accessors.
Object.defineProperty(Request.prototype, 'complete', {
  /** Node means by it that the body was read; of one that has none, nobody reads it. */
  get(this: Request): boolean {
    return this.stream.endAfterHeaders || Reflect.get(Http2ServerRequest.prototype, 'complete', this);
  },
});
Object.defineProperties(Reply.prototype, {
  /** Why it was broken off on this side; null when it was not. */
  errored: {
    get(this: Reply): Error | null {
      const { errored } = this.stream;
      // A stream that was reset, or whose connection has failed, its client has broken off.
      return errored === null || isOfHttp2(errored) ? null : errored;
    },
  },
  /** Node ends a stream that its client has reset: that is no end of the reply. */
  writableFinished: {
    get(this: Reply): boolean {
      const { aborted, rstCode, writableFinished } = this.stream;
      return writableFinished && !aborted && rstCode === constants.NGHTTP2_NO_ERROR;
    },
  },
  closed: {
    get(this: Reply): boolean {
      return this.stream.destroyed;
    },
  },
});
