/**
 * Clients of the service, which is restarted meanwhile: `<port> <clients> <notes of each>`. Says `half` when half of the notes are
 * acknowledged, and at the end how many were not, and how many published messages somebody has missed.
 */
import { Client } from '../../pkg/client/websocket/index.js';

const [, , port, clients, notes] = process.argv;
const total = Number(clients) * Number(notes);
let acknowledged = 0;
let gaps = 0;
const all = Array.from({ length: Number(clients) }, () => {
  const numbers = new Set();
  const client = new Client({
    url: `ws://127.0.0.1:${port}/ws`,
    onLost: () => (gaps += 1),
    backoff: { baseMs: 200, maxMs: 2000 },
  });
  client.subscribe('news', ({ payload }) => void numbers.add(payload.number));
  client.connect();
  return { client, numbers };
});
const until = async (condition) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
};
/** What fails and may be tried again, is. */
async function sent(client, number) {
  try {
    await client.request({ type: 'note', version: '1.0', payload: { number } }, { timeoutMs: 120_000 });
  } catch (error) {
    if (!error.retryable) throw error;
    await sent(client, number);
  }
}
await until(() => all.every(({ client }) => client.state === 'open'));
const work = all.map(async ({ client }, index) => {
  for (let count = 0; count < Number(notes); count += 1) {
    await sent(client, index * Number(notes) + count);
    acknowledged += 1;
  }
});
await until(() => acknowledged > total / 2);
process.stdout.write(`half\n`);
await Promise.all(work);
const late = performance.now() + 30_000;
await until(() => performance.now() > late || all.every(({ numbers }) => numbers.size === total));
const missed = all.reduce((sum, { numbers }) => sum + total - numbers.size, 0);
process.stdout.write(`${JSON.stringify({ unacknowledged: total - acknowledged, missed, gaps, published: total })}\n`);
process.exit();
