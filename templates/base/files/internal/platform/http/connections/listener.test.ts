import { createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { listen } from '../connections.ts';

it('a port that is taken is told with the settings that say otherwise', async () => {
  const first = createServer();
  onTestFinished(() => void first.close());
  const port = await listen(first, '127.0.0.1', 0);
  const second = listen(createServer(), '127.0.0.1', port, 'ADMIN_PORT');
  await expect(second).rejects.toMatchObject({
    message: `cannot listen on 127.0.0.1, port ${port}: set ADMIN_PORT to a port that is free, or ADMIN_HOST to an address of this machine`,
    cause: { code: 'EADDRINUSE' },
  });
});
