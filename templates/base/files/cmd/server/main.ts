import { modules } from '../../internal/platform/app/modules.gen.ts';
import { run } from '../../internal/platform/app/run.ts';
import { resources } from '../../internal/resources.gen.ts';

// The server: the modules of the platform, then the resources and the other slices of this service.
await run([...modules, ...resources]);
