import { Type } from 'typebox';
import { modules } from '../../internal/platform/app/modules.gen.js';
import { defineModule } from '../../internal/platform/app/module.js';
import { run } from '../../internal/platform/app/run.js';
import { http } from '../../internal/platform/http/module.js';

/** The base service as it comes, and the same small route as its peers have. */
const hello = defineModule({
  name: 'hello',
  config: Type.Object({}),
  requires: [http],
  start({ use }) {
    const response = { 200: Type.Object({ hello: Type.String() }) };
    use(http).get('/hello', { schema: { response } }, () => ({ hello: 'world' }));
    return { value: undefined };
  },
});

await run([...modules, hello]);
