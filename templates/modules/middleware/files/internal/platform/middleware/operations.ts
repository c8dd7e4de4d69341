import { Type } from 'typebox';
import { invalidArgument } from '../../../pkg/errors/index.ts';
import type { Admin } from '../admin/module.ts';
import type { Http } from '../http/server.ts';
import type { Entry } from './entry.ts';
import type { Kinds } from './kinds.ts';
import type { RunningChain } from './runningChain.ts';

const name = Type.String({ pattern: '^[a-z][a-z0-9-]{0,63}$' });
const longestSeconds = 86_400;

const Change = Type.Object(
  {
    kind: Type.Optional(Type.String()),
    settings: Type.Optional(Type.Object({}, { additionalProperties: true })),
    before: Type.Optional(name),
    after: Type.Optional(name),
    routes: Type.Optional(Type.Array(Type.String(), { minItems: 1, maxItems: 100 })),
    forSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: longestSeconds })),
  },
  { additionalProperties: false },
);
const Params = Type.Object({ name });
// In a query all is text.
const Query = Type.Object({ forSeconds: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,4}$' })) });

/**
 * `GET /middleware`; `PUT /middleware/:name` switches on, or adds one of a kind; `DELETE /middleware/:name` switches off, or
 * removes. Each answers with the chain as it is then.
 * @param admin server of the admin port
 * @param chain what is changed
 * @param kinds what can be added
 * @param http whose routes there are
 */
export function operations(admin: Admin, chain: RunningChain, kinds: Kinds, http: Http): void {
  const told = () => ({ middleware: chain.entries.map(shown), kinds: kinds.offered });

  admin.get('/middleware', told);

  admin.put('/middleware/:name', { schema: { params: Params, body: Change } }, ({ params, body }) => {
    const { kind, settings, before, after, routes, forSeconds } = body;
    for (const route of routes ?? []) checkRoute(http, route);
    const change = { routes, forMs: forSeconds && forSeconds * 1000 };
    if (kind === undefined) {
      if (settings ?? before ?? after)
        throw invalidArgument('Only what is added has a place, and settings, of a "kind".');
      chain.switchOn(params.name, change);
    } else {
      const origin = { kind, settings: settings ?? {} };
      const handle = kinds.make(kind, origin.settings);
      chain.add({ name: params.name, handle, origin }, { before, after }, change);
    }
    return told();
  });

  admin.delete('/middleware/:name', { schema: { params: Params, querystring: Query } }, ({ params, query }) => {
    const seconds = query.forSeconds === undefined ? undefined : Math.min(Number(query.forSeconds), longestSeconds);
    chain.remove(params.name, { forMs: seconds && seconds * 1000 });
    return told();
  });
}

function shown({ name: called, place, isDeclared, isFixed, origin, state }: Entry) {
  const { isOn, routes, until } = state;
  return { name: called, at: place.at, on: isOn, fixed: isFixed, added: !isDeclared, ...origin, routes, until };
}

/** A slip in the name of a route would be a middleware that does nothing. */
function checkRoute(http: Http, route: string): void {
  const [method = '', url = ''] = route.split(' ');
  if (!http.methods.has(method, url)) throw invalidArgument(`There is no route "${route}".`);
}
