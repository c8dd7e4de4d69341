import { Type } from 'typebox';
import type { Admin } from '../admin/module.ts';
import { type Blocks, Caller } from './blocks.ts';
import type { RunningChain } from './runningChain.ts';

const Params = Type.Object({ name: Type.String({ pattern: '^[a-z][a-z0-9-]{0,63}$' }) });
/** At most one day. */
const Query = Type.Object({ forSeconds: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,4}$' })) });
const secondsOf = (query: { readonly forSeconds?: string }): number | undefined =>
  query.forSeconds === undefined ? undefined : Math.min(Number(query.forSeconds), 86_400);

/**
 * `GET /middleware` shows the chain and the blocks. `DELETE` and `PUT /middleware/:name` switch a middleware off and on.
 * `PUT` and `DELETE /middleware/blocks/:name` block callers and let them in again. All answer with the present state.
 * @param admin server of the admin port
 * @param chain that is changed
 * @param blocks that are changed
 */
export function operations(admin: Admin, chain: RunningChain, blocks: Blocks): void {
  const shown = () => ({
    middleware: chain.entries.map(({ step: { name, at, fixed = false }, isOn, until }) => ({
      name,
      at,
      on: isOn,
      fixed,
      until,
    })),
    blocks: blocks.all,
  });
  const schema = { params: Params, querystring: Query };
  admin.get('/middleware', shown);
  admin.put('/middleware/:name', { schema: { params: Params } }, ({ params }) => {
    chain.switch(params.name, true);
    return shown();
  });
  admin.delete('/middleware/:name', { schema }, ({ params, query }) => {
    chain.switch(params.name, false, secondsOf(query));
    return shown();
  });
  admin.put('/middleware/blocks/:name', { schema: { ...schema, body: Caller } }, ({ params, query, body }) => {
    blocks.add(params.name, body, secondsOf(query));
    return shown();
  });
  admin.delete('/middleware/blocks/:name', { schema: { params: Params } }, ({ params }) => {
    blocks.remove(params.name);
    return shown();
  });
}
