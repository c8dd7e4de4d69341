import type { DescMessage, DescMethod, DescService, Message, MessageInitShape } from '@bufbuild/protobuf';
import type { Call } from './call.ts';
import type { Implementation, Method, MethodOptions, ServiceOptions } from './method.ts';
import { ok } from './status.ts';

const nothing = { scopes: [], roles: [] };

/**
 * @param service its contract
 * @param implementation its methods
 * @param options who may call them
 * @returns how each of its methods is served
 */
export function methodsOf<Service extends DescService>(
  service: Service,
  implementation: Implementation<Service>,
  options: ServiceOptions<Service>,
): Method[] {
  return service.methods.map((desc) => {
    const { auth = options.auth, isProbe = false }: MethodOptions = options.methods?.[desc.localName] ?? {};
    return {
      name: `${service.typeName}/${desc.name}`,
      needs: auth === 'public' ? undefined : { ...nothing, ...auth },
      isUnary: desc.methodKind === 'unary',
      isProbe,
      answer: answerOf(desc, implementation),
    };
  });
}

type Init = MessageInitShape<DescMessage>;

/** By the kind of a method: takes one request or many, gives one reply or many. */
interface Handlers {
  readonly unary: (request: Message, call: Call) => Init | Promise<Init>;
  readonly client_streaming: (requests: AsyncIterable<Message>, call: Call) => Promise<Init>;
  readonly server_streaming: (request: Message, call: Call) => AsyncIterable<Init>;
  readonly bidi_streaming: (requests: AsyncIterable<Message>, call: Call) => AsyncIterable<Init>;
}

function answerOf({ input, output, methodKind, localName }: DescMethod, implementation: object): Method['answer'] {
  if (methodKind === 'unary') {
    const handle = handlerOf(methodKind, implementation, localName);
    return async (call) => call.reply(output, await handle(await call.request(input), call));
  }
  if (methodKind === 'client_streaming') {
    const handle = handlerOf(methodKind, implementation, localName);
    return async (call) => call.reply(output, await handle(call.requests(input), call));
  }
  if (methodKind === 'server_streaming') {
    const handle = handlerOf(methodKind, implementation, localName);
    return async (call) => sendAll(call, output, handle(await call.request(input), call));
  }
  const handle = handlerOf(methodKind, implementation, localName);
  return (call) => sendAll(call, output, handle(call.requests(input), call));
}

/** `Implementation` has checked the types; here the method is one of any service. */
function handlerOf<Kind extends keyof Handlers>(_kind: Kind, implementation: object, name: string): Handlers[Kind] {
  const handler: unknown = Reflect.get(implementation, name);
  if (typeof handler !== 'function') throw new TypeError(`${name} is not implemented`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return handler.bind(implementation) as Handlers[Kind];
}

async function sendAll(call: Call, output: DescMethod['output'], replies: AsyncIterable<Init>): Promise<void> {
  for await (const reply of replies) await call.send(output, reply);
  call.end(ok);
}
