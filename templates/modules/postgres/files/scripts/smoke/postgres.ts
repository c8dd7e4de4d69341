/** For `npm run smoke`: a PostgreSQL server with all migrations. It is the embedded database, on a port. */
import { createServer } from 'node:net';
import { PGlite } from '@electric-sql/pglite';
import { listen } from '../../internal/platform/http/connections.ts';
import { createLogger } from '../../internal/platform/log/logger.ts';
import { migrate } from '../../internal/platform/postgres/migrate.ts';

const database = await PGlite.create();
const server = createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', (request) => socket.write(database.execProtocolRawSync(request)));
});
const port = await listen(server, '127.0.0.1', 0);

export const env = {
  DATABASE_URL: `postgres://postgres@127.0.0.1:${port}/postgres`,
  POSTGRES_POOL_MAX: '1',
};

if ((await migrate([], env, await createLogger('warn'))) !== 0) throw new Error('the migrations failed');

export async function stop(): Promise<void> {
  server.close();
  await database.close();
}
