import type { Readable, Writable } from 'node:stream';
import {
  type DescMessage,
  type DescMethod,
  type DescMethodBiDiStreaming,
  type DescMethodClientStreaming,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescService,
  type Message,
  type MessageInitShape,
  type MessageShape,
  create,
  fromBinary,
  toBinary,
} from '@bufbuild/protobuf';
import type { ServiceDefinition, UntypedHandleCall, sendUnaryData } from '@grpc/grpc-js';
import type { Needs } from '../identity/module.ts';
import type { Call } from './call.ts';
import { fault } from './status.ts';

/** Who may call a method. By default anyone with a valid token, when a module of the service verifies tokens. */
export type MethodAuth = 'public' | Partial<Needs>;

export interface MethodOptions {
  readonly auth?: MethodAuth;
}

/** Options of the methods of a service, by their names in TypeScript. */
export interface ServiceOptions<Service extends DescService> {
  /** For all its methods; `methods` overrides it. */
  readonly auth?: MethodAuth;
  /** Name of the resource that the service belongs to: without `auth`, its methods need the scopes that the routes of the resource need. */
  readonly resource?: string;
  readonly methods?: { readonly [Name in keyof Service['method']]?: MethodOptions };
}

/** Runs around the handler of a call: it calls `next`, or throws. */
export type Interceptor = (call: Call, next: () => Promise<void>) => Promise<void>;

/** The implementation of one method. What it throws becomes the status of the call. */
export type Handler<Desc> =
  Desc extends DescMethodUnary<infer Input, infer Output>
    ? (request: MessageShape<Input>, call: Call) => MessageInitShape<Output> | Promise<MessageInitShape<Output>>
    : Desc extends DescMethodServerStreaming<infer Input, infer Output>
      ? (request: MessageShape<Input>, call: Call) => AsyncIterable<MessageInitShape<Output>>
      : Desc extends DescMethodClientStreaming<infer Input, infer Output>
        ? (requests: AsyncIterable<MessageShape<Input>>, call: Call) => Promise<MessageInitShape<Output>>
        : Desc extends DescMethodBiDiStreaming<infer Input, infer Output>
          ? (requests: AsyncIterable<MessageShape<Input>>, call: Call) => AsyncIterable<MessageInitShape<Output>>
          : never;

export type Implementation<Service extends DescService> = {
  readonly [Name in keyof Service['method']]: Handler<Service['method'][Name]>;
};

/**
 * Describes a service to grpc-js, with messages as bytes: grpc-js answers INTERNAL to a message that it cannot decode, although that
 * is a fault of the client.
 * @param service its contract
 * @returns its methods, by their names in TypeScript
 */
export function definitionOf(service: DescService): ServiceDefinition {
  const entries = service.methods.map((desc) => {
    const method = {
      path: `/${service.typeName}/${desc.name}`,
      ...streamsOf(desc),
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    };
    return [desc.localName, method] as const;
  });
  return Object.fromEntries(entries);
}

function same(bytes: Buffer): Buffer {
  return bytes;
}

function streamsOf({ methodKind }: DescMethod) {
  return {
    requestStream: methodKind === 'client_streaming' || methodKind === 'bidi_streaming',
    responseStream: methodKind === 'server_streaming' || methodKind === 'bidi_streaming',
  };
}

type Init = MessageInitShape<DescMessage>;

/** Runs the handler of the current call: `work` sends everything but the status of a call that fails. */
export type Run = (work: (call: Call) => Promise<void>) => void;

/** The call of grpc-js; each kind of method has a part of it. */
type Wire = Readable & Writable & { readonly request: Buffer };

/** A handler; each kind of method has a part of it. */
type Answer = (request: unknown, call: Call) => Promise<Init> & AsyncIterable<Init>;

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
  const { requestStream, responseStream } = streamsOf(desc);
  return (object: object, callback: sendUnaryData<Buffer>) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const wire = object as Wire;
    run(async (call) => {
      const request = requestStream ? requestsOf(wire, input, call) : decode(input, wire.request);
      const replies = answer(request, call);
      if (!responseStream) {
        callback(null, encode(output, await replies));
        return;
      }
      for await (const reply of replies) await call.send(wire, encode(output, reply));
      wire.end();
    });
  };
}

function decode(schema: DescMessage, bytes: Buffer): Message {
  try {
    return fromBinary(schema, bytes);
  } catch (error) {
    throw fault('message_malformed', 'INVALID_ARGUMENT', `The message is not a valid ${schema.typeName}.`, error);
  }
}

function encode(schema: DescMessage, message: Init): Buffer {
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
