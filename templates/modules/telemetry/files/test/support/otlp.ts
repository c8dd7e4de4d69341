/** A span as a collector gets it. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  /** The ids of the traces that it links to. */
  readonly links: readonly string[];
  readonly name: string;
  /** 2 is a server's, 3 a client's. */
  readonly kind: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** Milliseconds from its start to its end. */
  readonly ms: number;
  /** 2 is an error. */
  readonly status: number;
}

/** A message of protobuf: what stands under each number, in order. A group of bytes is text, bytes, or a message again. */
type Message = Map<number, (Buffer | number)[]>;

/**
 * Reads what an exporter sends by OTLP in protobuf (opentelemetry/proto/trace/v1/trace.proto), as far as tests look at it.
 * @param body of a request to `/v1/traces`
 * @returns its spans
 */
export function spansIn(body: Buffer): ReceivedSpan[] {
  const resources = messages(parse(body), 1);
  const scopes = resources.flatMap((resource) => messages(resource, 2));
  return scopes.flatMap((scope) => messages(scope, 2)).map(spanOf);
}

function spanOf(span: Message): ReceivedSpan {
  const [status = new Map()] = messages(span, 15);
  return {
    traceId: bytes(span, 1).toString('hex'),
    spanId: bytes(span, 2).toString('hex'),
    parentSpanId: bytes(span, 4).toString('hex'),
    links: messages(span, 13).map((link) => bytes(link, 1).toString('hex')),
    name: bytes(span, 5).toString(),
    kind: number(span, 6),
    attributes: Object.fromEntries(messages(span, 9).map((pair) => [bytes(pair, 1).toString(), valueOf(pair)])),
    ms: Number(bytes(span, 8).readBigUInt64LE() - bytes(span, 7).readBigUInt64LE()) / 1_000_000,
    status: number(status, 3),
  };
}

function valueOf(pair: Message): string | number {
  const [value = new Map()] = messages(pair, 2);
  return value.has(1) ? bytes(value, 1).toString() : number(value, 3);
}

function messages(message: Message, field: number): Message[] {
  return (message.get(field) ?? []).flatMap((value) => (Buffer.isBuffer(value) ? [parse(value)] : []));
}

function bytes(message: Message, field: number): Buffer {
  const value = message.get(field)?.[0];
  return Buffer.isBuffer(value) ? value : Buffer.alloc(0);
}

function number(message: Message, field: number): number {
  const value = message.get(field)?.[0];
  return typeof value === 'number' ? value : 0;
}

/** https://protobuf.dev/programming-guides/encoding/ */
function parse(buffer: Buffer): Message {
  const message: Message = new Map();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = buffer.readUInt8(at);
      at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Buffer => {
    at += length;
    return buffer.subarray(at - length, at);
  };
  while (at < buffer.length) {
    const tag = varint();
    const wireType = tag & 7;
    const value = wireType === 0 ? varint() : take(wireType === 2 ? varint() : wireType === 1 ? 8 : 4);
    const field = Math.floor(tag / 8);
    message.set(field, [...(message.get(field) ?? []), value]);
  }
  return message;
}
