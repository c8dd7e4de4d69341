import { fault } from './faults.ts';

/** Bytes before each message: whether it is compressed, and its length. */
const prefixBytes = 5;

/**
 * @param message serialised
 * @returns it as it stands on the wire, not compressed
 */
export function frame(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(prefixBytes + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, prefixBytes);
  return bytes;
}

export interface FrameOptions {
  /** The largest message in bytes. */
  readonly limit: number;
  /** Asks for memory, in bytes all in all: for the message that is coming, and those not released yet; throws when there is not as much. */
  readonly hold: (bytes: number) => void;
}

/** Takes the messages of one stream out of what comes in; of one that is not whole it holds no more than has come. */
export class FrameReader {
  readonly #options: FrameOptions;
  /** What has come of a message that is not whole, in a buffer that grows as it comes: its sender may never send the rest. */
  #held = Buffer.alloc(0);
  #used = 0;
  /** Bytes of messages that were held and given, and are not released yet. */
  #given = 0;

  /** @param options limits of its messages */
  constructor(options: FrameOptions) {
    this.#options = options;
  }

  /**
   * @param chunk what came in
   * @returns the messages that are whole now
   * @throws {ServiceError} RESOURCE_EXHAUSTED as soon as a message says that it is too large; UNIMPLEMENTED when it is compressed; what `hold` throws
   */
  push(chunk: Buffer): Uint8Array[] {
    const messages: Uint8Array[] = [];
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#used === 0 && rest.length >= prefixBytes) {
        const end = this.#endOf(rest);
        if (rest.length >= end) {
          messages.push(rest.subarray(prefixBytes, end));
          rest = rest.subarray(end);
          continue;
        }
      }
      rest = this.#keep(rest);
      if (this.#used < prefixBytes || this.#used < this.#endOf(this.#held)) continue;
      messages.push(this.#held.subarray(prefixBytes, this.#used));
      this.#given += this.#held.length;
      this.#held = Buffer.alloc(0);
      this.#used = 0;
    }
    return messages;
  }

  /** Gives back the memory of the messages that it gave: they are done with. */
  release(): void {
    this.#given = 0;
    this.#options.hold(this.#held.length);
  }

  /** @throws {ServiceError} INVALID_ARGUMENT when the stream ended within a message */
  end(): void {
    if (this.#used > 0) throw fault('message_truncated', 'INVALID_ARGUMENT', 'The last message is not whole.');
  }

  /** Keeps what belongs to the message that is coming, and gives back the rest. */
  #keep(bytes: Buffer): Buffer {
    const needed = this.#used < prefixBytes ? prefixBytes : this.#endOf(this.#held);
    const taken = bytes.subarray(0, needed - this.#used);
    const used = this.#used + taken.length;
    if (used > this.#held.length) {
      const size = Math.min(needed, Math.max(used, 2 * this.#held.length));
      this.#options.hold(this.#given + size);
      const larger = Buffer.allocUnsafe(size);
      this.#held.copy(larger, 0, 0, this.#used);
      this.#held = larger;
    }
    taken.copy(this.#held, this.#used);
    this.#used = used;
    return bytes.subarray(taken.length);
  }

  /** Where the message ends whose prefix these bytes begin with. */
  #endOf(bytes: Buffer): number {
    if (bytes[0] !== 0) throw fault('message_compressed', 'UNIMPLEMENTED', 'Compressed messages are not accepted.');
    const length = bytes.readUInt32BE(1);
    const { limit } = this.#options;
    if (length > limit) {
      throw fault('message_oversized', 'RESOURCE_EXHAUSTED', `A message may have at most ${limit} bytes.`);
    }
    return prefixBytes + length;
  }
}
