import type { FastifyContextConfig } from 'fastify';
import type { Step } from './measured.ts';

/** Passes the request on. */
export const pass: Step = (_request, _reply, next) => next();

/** One that is passed, and where. */
export interface Routed {
  readonly step: Step;
  /** Such as `GET /items/:id`; undefined: all. */
  readonly routes: ReadonlySet<string> | undefined;
}

/**
 * @param all in order
 * @returns passes those that are for the route of a request. Which these are is found out once for each route
 */
export function inTurn(all: readonly Routed[]): Step {
  if (all.every(({ routes }) => routes === undefined)) return oneAfterAnother(all);
  const ofRoutes = new Map<FastifyContextConfig, Step>();
  return (request, reply, next) => {
    const { config, method, url } = request.routeOptions;
    let step = ofRoutes.get(config);
    if (step === undefined) {
      const names = routeNames(method, url);
      step = oneAfterAnother(
        all.filter(({ routes }) => routes === undefined || names.some((name) => routes.has(name))),
      );
      ofRoutes.set(config, step);
    }
    step(request, reply, next);
  };
}

/** HEAD is GET without a body. */
function routeNames(methods: string | string[] = [], url = ''): string[] {
  return [methods].flat().map((method) => `${method === 'HEAD' ? 'GET' : method} ${url}`);
}

function oneAfterAnother([first, ...others]: readonly Routed[]): Step {
  if (first === undefined) return pass;
  if (others.length === 0) return first.step;
  const rest = oneAfterAnother(others);
  return (request, reply, next) =>
    first.step(request, reply, (error) => (error ? next(error) : rest(request, reply, next)));
}
