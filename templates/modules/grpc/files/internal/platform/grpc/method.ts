import type {
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import type { Needs } from '../identity/module.ts';
import type { Call } from './call.ts';

/** Who may call a method; one that says nothing asks for a valid token, where a module of the service knows tokens. */
export type MethodAuth = 'public' | Partial<Needs>;

/** What is said of one method. */
export interface MethodOptions {
  readonly auth?: MethodAuth;
  /** Whether it is answered also when the service has as many calls as it takes; not unless told. */
  readonly isProbe?: boolean;
}

/** What is said of the methods of a service beyond their contract, by their names in TypeScript. */
export interface ServiceOptions<Service extends DescService> {
  /** Of all its methods; `methods` may say otherwise. */
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
  /** Whether it is answered also when the service has as many calls as it takes. */
  readonly isProbe: boolean;
  /** Answers a call: all that it sends but the status. */
  readonly answer: (call: Call) => Promise<void>;
}

/** How one method is implemented, by its kind; what it throws becomes the status of the call. */
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
