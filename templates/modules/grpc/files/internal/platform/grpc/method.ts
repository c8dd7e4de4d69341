import type { Readable, Writable } from 'node:stream';
import {
  type DescMessage,
  type DescMethod,
  type DescService,
  type Message,
  type MessageInitShape,
  type MessageShape,
  create,
  fromBinary,
  toBinary,
} from '@bufbuild/protobuf';
import type { MethodDefinition, UntypedHandleCall, sendUnaryData } from '@grpc/grpc-js';
import { invalidArgument } from '../../../pkg/errors/index.ts';
import type { Needs } from '../identity/module.ts';
import type { Call } from './call.ts';

/** Who may call a method. By default anyone with a valid token, when a module of the service verifies tokens. */
export type MethodAuth = 'public' | Partial<Needs>;

/** Options of the methods of a service, by their names in TypeScript. */
export interface ServiceOptions<Service extends DescService> {
  /** For all its methods; `methods` overrides it. */
  readonly auth?: MethodAuth;
  /** Name of the resource that the service belongs to: without `auth`, its methods need the scopes that the routes of the resource need. */
  readonly resource?: string;
  readonly methods?: { readonly [Name in keyof Service['method']]?: { readonly auth?: MethodAuth } };
}

type Init<Desc extends DescMethod> = MessageInitShape<Desc['output']>;

interface Requests<Desc extends DescMethod> {
  unary: MessageShape<Desc['input']>;
  server_streaming: MessageShape<Desc['input']>;
  client_streaming: AsyncIterable<MessageShape<Desc['input']>>;
  bidi_streaming: AsyncIterable<MessageShape<Desc['input']>>;
}

interface Replies<Desc extends DescMethod> {
  unary: Init<Desc> | Promise<Init<Desc>>;
  server_streaming: AsyncIterable<Init<Desc>>;
  client_streaming: Promise<Init<Desc>>;
  bidi_streaming: AsyncIterable<Init<Desc>>;
}

/** The implementation of each method. What it throws becomes the status of the call. */
export type Implementation<Service extends DescService> = {
  readonly [Name in keyof Service['method']]: (
    request: Requests<Service['method'][Name]>[Service['method'][Name]['methodKind']],
    call: Call,
  ) => Replies<Service['method'][Name]>[Service['method'][Name]['methodKind']];
};

const same = (bytes: Buffer): Buffer => bytes;

/**
 * Describes a method to grpc-js, with messages as bytes: grpc-js answers INTERNAL to a message that it cannot decode, although that
 * is a fault of the client.
 * @param desc the method
 * @returns its definition
 */
export function definitionOf({ parent, name, methodKind }: DescMethod): MethodDefinition<Buffer, Buffer> {
  return {
    path: `/${parent.typeName}/${name}`,
    requestStream: methodKind === 'client_streaming' || methodKind === 'bidi_streaming',
    responseStream: methodKind === 'server_streaming' || methodKind === 'bidi_streaming',
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

/** Runs the handler of the current call: `work` sends everything but the status of a call that fails. */
export type Run = (work: (call: Call) => Promise<void>) => Promise<void>;

/** The call of grpc-js; each kind of method has a part of it. */
type Wire = Readable & Writable & { readonly request: Buffer };

type Answer = (request: unknown, call: Call) => Promise<Init<DescMethod>> & AsyncIterable<Init<DescMethod>>;

/**
 * @param desc a method
 * @param implementation of its service
 * @param run runs the work of the method
 * @returns the handler that grpc-js calls
 */
export function handlerOf(desc: DescMethod, implementation: object, run: Run): UntypedHandleCall {
  const { input, output, localName } = desc;
  const handle: unknown = Reflect.get(implementation, localName);
  if (typeof handle !== 'function') throw new TypeError(`${localName} is not implemented`);
  // `Implementation` has checked the types.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const answer = handle.bind(implementation) as Answer;
  const { requestStream, responseStream } = definitionOf(desc);
  return (object: object, callback: sendUnaryData<Buffer>) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const wire = object as Wire;
    void run(async (call) => {
      const request = requestStream ? requestsOf(wire, input, call) : decode(input, wire.request);
      const replies = answer(request, call);
      if (!responseStream) {
        const reply = await replies;
        call.throwIfEnded();
        callback(null, encode(output, reply));
        return;
      }
      for await (const reply of replies) {
        call.throwIfEnded();
        const { promise, resolve } = Promise.withResolvers<void>();
        call.unblock = resolve;
        // The client has read enough for the next message.
        wire.write(encode(output, reply), () => resolve());
        await promise;
        // A handler whose client has left is not asked for one more message.
        call.throwIfEnded();
      }
      // The signal of the handler may abort before the timer of grpc-js ends the call.
      call.throwIfEnded();
      wire.end();
    });
  };
}

function decode(schema: DescMessage, bytes: Buffer): Message {
  try {
    return fromBinary(schema, bytes);
  } catch (cause) {
    throw malformed(schema, cause);
  }
}

/**
 * @param schema that the message of a client does not match
 * @param cause for the log
 * @returns the error for the client
 */
export function malformed(schema: DescMessage, cause: unknown): Error {
  return invalidArgument(`The message is not a valid ${schema.typeName}.`, { code: 'message_malformed', cause });
}

function encode(schema: DescMessage, message: Init<DescMethod>): Buffer {
  const { buffer, byteOffset, byteLength } = toBinary(schema, create(schema, message));
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Reads a message only when the handler asks for it, so that a fast client waits. */
async function* requestsOf(wire: Readable, input: DescMessage, call: Call): AsyncGenerator<Message, void> {
  try {
    const messages: AsyncIterable<Buffer> = wire.iterator({ destroyOnReturn: false });
    for await (const bytes of messages) yield decode(input, bytes);
  } catch (error) {
    // The error of the stream does not have the reason why the call ended.
    throw call.ended() ?? error;
  }
  call.throwIfEnded();
}
