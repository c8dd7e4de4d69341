import { runWith } from '../../../pkg/context/index.ts';
import { type Authenticate, principalKey } from '../identity/module.ts';
import type { Interceptor } from './interceptor.ts';

/** RFC 6750, 2.1. */
const bearer = /^bearer +([\w\-.~+/]+=*)$/i;

/**
 * @param authenticate asks the module of the service that knows tokens; gives undefined where there is none: all may call
 * @returns lets through who may call the method, and leaves in the context who it is
 */
export function authentication(authenticate: () => Authenticate | undefined): Interceptor {
  return async (call, next) => {
    const { needs, name } = call.method;
    const verify = authenticate();
    if (needs !== undefined && verify !== undefined) {
      const token = bearer.exec(call.headers.authorization ?? '')?.[1];
      call.set(principalKey, await runWith(call, verify, token, needs, { method: name }));
    }
    return next();
  };
}
