import { modules } from '../../internal/platform/app/modules.gen.ts';
import { run } from '../../internal/platform/app/run.ts';
import { items } from '../../internal/items/module.ts';

// The server: the modules of the platform, then the domain slices of this service.
await run([...modules, items]);
