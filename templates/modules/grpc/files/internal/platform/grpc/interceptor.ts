import type { Call } from './call.ts';
import type { Method } from './method.ts';

/** Stands around the answering of a call: lets it through by `next`, or throws. */
export type Interceptor = (call: Call, next: () => Promise<void>) => Promise<void>;

/**
 * @param interceptors the outermost first
 * @param answer of a method
 * @returns the answer with all of them around it
 */
export function chain(interceptors: readonly Interceptor[], answer: Method['answer']): Method['answer'] {
  return interceptors.reduceRight<Method['answer']>((inner, outer) => (call) => outer(call, () => inner(call)), answer);
}
