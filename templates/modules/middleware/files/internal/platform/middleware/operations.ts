import { Type } from 'typebox';
import { invalidArgument } from '../../../pkg/errors/index.ts';
import type { Admin } from '../admin/module.ts';
import type { Http } from '../http/server.ts';
import type { Kinds } from './kinds.ts';
import type { RunningChain } from './runningChain.ts';

const name = Type.String({ pattern: '^[a-z][a-z0-9-]{0,63}$' });
const maxSeconds = 86_400;

const Change = Type.Object(
  {
    kind: Type.Optional(Type.String()),
    settings: Type.Optional(Type.Object({}, { additionalProperties: true })),
    before: Type.Optional(name),
    after: Type.Optional(name),
    routes: Type.Optional(Type.Array(Type.String(), { minItems: 1, maxItems: 100 })),
    forSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: maxSeconds })),
  },
  { additionalProperties: false },
);
const Params = Type.Object({ name });
const Query = Type.Object({ forSeconds: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,4}$' })) });

/**
 * `GET /middleware` shows the chain. `PUT /middleware/:name` switches a middleware on, or adds one of a kind. `DELETE /middleware/:name`
 * switches it off, or removes it. All answer with the present chain.
 * @param admin server of the admin port
 * @param chain that is changed
 * @param kinds that can be added
 * @param http the API's server, with its routes
 */
export function operations(admin: Admin, chain: RunningChain, kinds: Kinds, http: Http): void {
  const shown = () => ({
    middleware: chain.entries.map(({ name: called, place, isDeclared, isFixed, origin, state }) => ({
      name: called,
      at: place.at,
      on: state.isOn,
      fixed: isFixed,
      added: !isDeclared,
      ...origin,
      routes: state.routes,
      until: state.until,
    })),
    kinds: kinds.offered,
  });

  admin.get('/middleware', shown);

  admin.put('/middleware/:name', { schema: { params: Params, body: Change } }, ({ params, body }) => {
    const { kind, settings = {}, before, after, routes, forSeconds } = body;
    // A middleware for a misspelt route would do nothing.
    for (const route of routes ?? []) {
      const [method = '', url = ''] = route.split(' ');
      if (!http.methods.has(method, url)) throw invalidArgument(`There is no route "${route}".`);
    }
    const change = { routes, forMs: forSeconds && forSeconds * 1000 };
    if (kind !== undefined) {
      const handle = kinds.make(kind, settings);
      chain.add({ name: params.name, handle, origin: { kind, settings } }, { before, after }, change);
    } else if (body.settings ?? before ?? after) {
      throw invalidArgument('"settings", "before" and "after" need a "kind".');
    } else chain.switchOn(params.name, change);
    return shown();
  });

  admin.delete('/middleware/:name', { schema: { params: Params, querystring: Query } }, ({ params, query }) => {
    const seconds = query.forSeconds === undefined ? undefined : Math.min(Number(query.forSeconds), maxSeconds);
    chain.remove(params.name, { forMs: seconds && seconds * 1000 });
    return shown();
  });
}
