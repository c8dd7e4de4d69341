import { modules } from '../../internal/app/modules.gen.ts';
import { run } from '../../internal/app/run.ts';
import { items } from '../../internal/items/module.ts';

// The server: the modules that Slipway lists, then the domain slices of this service.
await run([...modules, items]);
