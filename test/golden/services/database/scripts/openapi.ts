/** Writes `api/openapi.json` as the service describes itself: `npm run openapi`. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { root, startService } from '../test/support/service.ts';

const service = await startService();
const response = await fetch(`${service.api}/openapi.json`);
await writeFile(path.join(root, 'api', 'openapi.json'), `${JSON.stringify(await response.json(), null, 2)}\n`);
await service.stop();
