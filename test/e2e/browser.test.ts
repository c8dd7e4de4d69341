import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { once } from 'node:events';
import type { Browser } from 'puppeteer-core';
import { execa } from 'execa';
import { outputFileSync } from 'fs-extra/esm';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { hasBrowser, startBrowser } from '../helpers/browser.ts';
import { type LiveService, startService } from '../helpers/liveService.ts';

/** A slice of the service: what is said is answered, and told to all who listen. */
const slice = `
import { Type } from 'typebox';
import { defineModule } from '../platform/app/module.ts';
import { defineMessage } from '../platform/websocket/messages.ts';
import { websocket } from '../platform/websocket/module.ts';

const text = Type.Object({ text: Type.String() }, { additionalProperties: false });
const say = defineMessage({ type: 'chat.say', version: '1.0', payload: text, response: text });
const said = defineMessage({ type: 'chat.said', version: '1.0', payload: text });

/** A room in which everybody hears everybody. */
export const chat = defineModule({
  name: 'chat',
  config: Type.Object({}),
  requires: [websocket],
  start({ use }) {
    const sockets = use(websocket);
    sockets.topic({ name: 'room' });
    sockets.on(say, async (payload, { peer }) => {
      await sockets.publish('room', said, payload);
      return { text: \`\${peer.caller?.subject}: \${payload.text}\` };
    });
    return { value: undefined };
  },
});
`;

/** The service's own clients, as \`npm run build\` makes them, in a page of another origin. */
const page = (origin: string, token: string): string => `<!doctype html>
<title>Clients</title>
<pre id="result"></pre>
<script type="importmap">{ "imports": { "openapi-fetch": "/node_modules/openapi-fetch/dist/index.mjs" } }</script>
<script type="module">
  import { createClient } from '/pkg/client/index.js';
  import { Client } from '/pkg/client/websocket/index.js';

  const [origin, token] = ${JSON.stringify([origin, token])};
  const result = {};
  try {
    const orders = createClient({ baseUrl: origin, token: () => token });
    const { data, response } = await orders.POST('/items', { body: { name: 'anchor', quantity: 3 } });
    result.created = response.status;
    result.found = (await orders.GET('/items/{id}', { params: { path: { id: data.id } } })).data.name;
    const missing = { params: { path: { id: '00000000-0000-4000-8000-000000000000' } } };
    result.missing = await orders.GET('/items/{id}', missing).catch((error) => error.code);

    const chat = new Client({ url: origin.replace('http', 'ws') + '/ws', token: () => token });
    const heard = new Promise((resolve) => chat.subscribe('room', ({ payload }) => resolve(payload)));
    chat.connect();
    result.answer = await chat.request({ type: 'chat.say', version: '1.0', payload: { text: 'ahoy' } });
    result.heard = await heard;
    chat.close();
  } catch (error) {
    result.error = String(error?.stack ?? error);
  }
  document.querySelector('#result').textContent = JSON.stringify(result);
</script>`;

describe.skipIf(!hasBrowser && process.env['CI'] === undefined)('a service, seen from a browser', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'slipway-browser-'));
  const service = path.join(folder, 'orders');
  const env = { PATH: [inject('newNode'), inject('hostPath')].join(path.delimiter), CI: 'true', NODE_OPTIONS: '' };
  let document = '';
  const pages = createServer(({ url = '' }, response) => {
    if (!/^\/(?:pkg|node_modules)\//.test(url)) {
      response.setHeader('content-type', 'text/html').end(document);
      return;
    }
    const file = url.startsWith('/pkg/') ? path.join(service, 'dist', url) : path.join(service, url);
    response.setHeader('content-type', 'text/javascript').end(readFileSync(file));
  });
  let origin: string;
  let browser: Browser;

  beforeAll(async () => {
    browser = await startBrowser();
    const cli = path.join(inject('installed'), 'node_modules', 'create-slipway', 'dist', 'create-slipway.cjs');
    await execa('node', [cli, 'orders', '--yes', '--no-git', '--modules=auth,cors,websocket'], { cwd: folder, env });
    outputFileSync(path.join(service, 'internal/chat/module.ts'), slice);
    const main = path.join(service, 'cmd/server/main.ts');
    const text = readFileSync(main, 'utf8')
      .replace('import { resources }', "import { chat } from '../../internal/chat/module.ts';\nimport { resources }")
      .replace('...resources]', '...resources, chat]');
    outputFileSync(main, text);
    await once(pages.listen(0, '127.0.0.1'), 'listening');
    origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await browser.close();
    pages.close();
    pages.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (script: 'dev' | 'start'): Promise<LiveService> =>
    startService(service, ['npm', 'run', script], { ...env, CORS_ORIGINS: origin, WEBSOCKET_ORIGINS: origin });

  it('its typed client and its WebSocket client run in a page of another origin', async () => {
    await using live = await start('start');
    const { stdout: token } = await execa('npm', ['run', '--silent', 'token'], { cwd: service, env });
    document = page(live.origin, token);
    const tab = await browser.newPage();
    await tab.goto(origin);
    const shown = await tab.waitForSelector('#result:not(:empty)');
    const result = await shown?.evaluate(({ textContent }) => textContent);
    expect(JSON.parse(String(result))).toMatchObject({
      created: 201,
      found: 'anchor',
      missing: 'item_not_found',
      answer: { text: expect.stringMatching(/^\S+: ahoy$/) },
      heard: { text: 'ahoy' },
    });
  });

  it('its documentation shows each operation', async () => {
    await using live = await start('dev');
    const tab = await browser.newPage();
    await tab.goto(`${live.origin}/docs`);
    for (const operation of ['createItem', 'getItem', 'listItems']) await tab.waitForSelector(`[id$="${operation}"]`);
  });
});
