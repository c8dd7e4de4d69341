/** Writes `api/websocket.json` as the service describes its messages: `npm run messages`. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { preparations } from './support/preparations.ts';
import { root, startService } from './support/service.ts';

const { env, headers } = await preparations();
const service = await startService(env);
const response = await fetch(`${service.api}/websocket.json`, { headers });
await writeFile(path.join(root, 'api', 'websocket.json'), `${JSON.stringify(await response.json(), null, 2)}\n`);
await service.stop();
