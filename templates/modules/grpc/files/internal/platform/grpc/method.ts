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

/** Who may call a method. A method that says nothing needs a valid token, where a module of the service verifies tokens. */
export type MethodAuth = 'public' | Partial<Needs>;

/** What is said of one method. */
export interface MethodOptions {
  readonly auth?: MethodAuth;
  /** Whether it is answered also when the service has as many calls as it takes; false by default. */
  readonly isProbe?: boolean;
}

/** What is said of the methods of a service beyond their contract, by their names in TypeScript. */
export interface ServiceOptions<Service extends DescService> {
  /** Of all its methods; `methods` overrides it. */
  readonly auth?: MethodAuth;
  readonly methods?: { readonly [Name in keyof Service['method']]?: MethodOptions };
}

/** A method that is served. */
export interface Method {
  /** `package.Service/Method`. */
  readonly name: string;
  /** Undefined when anyone may call it. */
  readonly needs: Needs | undefined;
  /** Whether it takes one request and gives one reply. */
  readonly isUnary: boolean;
  readonly isProbe: boolean;
}

/** Runs around the handler of a call: continues with `next`, or throws. */
export type Interceptor = (call: Call, next: () => Promise<void>) => Promise<void>;

/** The implementation of one method, by its kind; what it throws becomes the status of the call. */
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

/** The implementation of a service: each of its methods. */
export type Implementation<Service extends DescService> = {
  readonly [Name in keyof Service['method']]: Handler<Service['method'][Name]>;
};

/**
 * Describes a service to grpc-js. Messages stay bytes there: grpc-js answers INTERNAL to a message that it cannot decode, which
 * is a fault of the client.
 * @param service its contract
 * @returns its methods, by their names in TypeScript
 */
export function definitionOf(service: DescService): ServiceDefinition {
  const entries = service.methods.map(({ name, localName, methodKind }) => {
    const method = {
      path: `/${service.typeName}/${name}`,
      requestStream: methodKind === 'client_streaming' || methodKind === 'bidi_streaming',
      responseStream: methodKind === 'server_streaming' || methodKind === 'bidi_streaming',
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    };
    return [localName, method] as const;
  });
  return Object.fromEntries(entries);
}

function same(bytes: Buffer): Buffer {
  return bytes;
}

type Init = MessageInitShape<DescMessage>;

/** Runs the handler of the current call: `work` sends all but the status of a call that fails. */
export type Run = (work: (call: Call) => Promise<void>) => void;

/** What grpc-js gives to a handler, as far as the kind of its method has it. */
type Wire = Readable & Writable & { readonly request: Buffer };

/** A handler, as far as the kind of its method has it. */
type Answer = (request: unknown, call: Call) => Promise<Init> & AsyncIterable<Init>;

/**
 * @param desc a method
 * @param implementation of its service
 * @param run runs what the method does
 * @returns the handler that grpc-js calls
 */
export function handlerOf(desc: DescMethod, implementation: object, run: Run): UntypedHandleCall {
  const { input, output, methodKind, localName } = desc;
  const handle: unknown = Reflect.get(implementation, localName);
  if (typeof handle !== 'function') throw new TypeError(`${localName} is not implemented`);
  // `Implementation` has checked the types; here the method is one of any service.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const answer = handle.bind(implementation) as Answer;
  const takesStream = methodKind === 'client_streaming' || methodKind === 'bidi_streaming';
  const givesStream = methodKind === 'server_streaming' || methodKind === 'bidi_streaming';
  return (object: object, callback: sendUnaryData<Buffer>) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const wire = object as Wire;
    run(async (call) => {
      const request = takesStream ? requestsOf(wire, input, call) : decode(input, wire.request);
      const replies = answer(request, call);
      if (!givesStream) {
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

/** Reads no further than it is asked: a client that sends faster than it is served waits. */
async function* requestsOf(wire: Readable, input: DescMessage, call: Call): AsyncGenerator<Message, void> {
  try {
    const messages: AsyncIterable<Buffer> = wire.iterator({ destroyOnReturn: false });
    for await (const bytes of messages) yield decode(input, bytes);
  } catch (error) {
    // The error of a stream that ended early does not say why the call has ended.
    throw call.ended() ?? error;
  }
  call.throwIfEnded();
}
