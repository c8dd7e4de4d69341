import { Type } from 'typebox';
import { afterEach, describe, expect, it } from 'vitest';
import { Client } from '../../../pkg/client/websocket/index.ts';
import { type Phase, serveBothWays } from './bothWays.ts';
import { type TestService, badName, greet, guarded, rawClient, testService } from './testing.ts';

const running: TestService[] = [];
const clients: Client[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const { service } of running.splice(0)) await service.stop(0, 5000);
});

async function start(phase: Phase): Promise<{ service: TestService; client: Client; calls: string[] }> {
  const calls: string[] = [];
  const handle = async ({ name }: { name: string }): Promise<{ text: string }> => {
    calls.push(name);
    if (name === badName) throw new Error('broken');
    return { text: `Ahoy, ${name}` };
  };
  const sunset = new Date('2027-01-01T00:00:00Z');
  const service = await testService({}, (sockets, http) => {
    guarded(http);
    const read = { ...greet, type: 'greeting.read' };
    serveBothWays(http, sockets, {
      definition: greet,
      rest: { method: 'POST', url: '/greetings' },
      phase,
      sunset,
      handle,
    });
    serveBothWays(http, sockets, { definition: read, rest: { method: 'GET', url: '/greetings' }, phase, handle });
  });
  running.push(service);
  const client = new Client({ url: `${service.ws}/ws` });
  clients.push(client);
  client.connect();
  return { service, client, calls };
}

function post({ api }: TestService, name: unknown, key?: string, more: Record<string, string> = {}): Promise<Response> {
  const headers = { 'content-type': 'application/json', ...(key !== undefined && { 'idempotency-key': key }), ...more };
  return fetch(`${api}/greetings`, { method: 'POST', headers, body: JSON.stringify({ name }) });
}

/** For clients that nobody knows. */
const key1 = '0197a3c0-0000-7000-8000-000000000001';
const key2 = '0197a3c0-0000-7000-8000-000000000002';

const message = (name: string) => ({ type: greet.type, version: greet.version, payload: { name } });

describe('an operation that is served both ways', () => {
  it('has one handler and one schema; answers say that they are', async () => {
    const { service, client } = await start('dual');
    expect(await client.request(message('Ada'))).toEqual({ text: 'Ahoy, Ada' });
    const answer = await post(service, 'Ada');
    expect(await answer.json()).toEqual({ text: 'Ahoy, Ada' });
    expect(answer.headers.get('x-message-direction')).toBe('response');
    expect(answer.headers.get('deprecation')).toBeNull();
    expect((await post(service, 7)).status).toBe(400);
    await expect(client.request({ ...message(''), payload: { name: 7 } })).rejects.toMatchObject({
      code: 'invalid_payload',
    });
    expect(await (await fetch(`${service.api}/greetings?name=Eve`)).json()).toEqual({ text: 'Ahoy, Eve' });
  });

  it('is carried out once when it is sent both ways', async () => {
    const { service, client, calls } = await start('dual');
    const [byRest, bySocket] = await Promise.all([
      post(service, 'Ada', key1).then((answer) => answer.json()),
      client.request(message('Ada'), { msgId: key1 }),
    ]);
    expect(byRest).toEqual(bySocket);
    expect(calls).toEqual(['Ada']);
    await post(service, 'Ada', key2);
    expect(calls).toEqual(['Ada', 'Ada']);
  });

  it('is refused when it is sent with the same id and another payload, either way', async () => {
    const { service, client, calls } = await start('dual');
    await post(service, 'Ada', key1);
    const { status, body } = await post(service, 'Eve', key1).then(async (answer) => ({
      status: answer.status,
      body: await answer.json(),
    }));
    expect([status, body]).toMatchObject([422, { code: 'idempotency_key_reused' }]);
    await expect(client.request(message('Eve'), { msgId: key1 })).rejects.toMatchObject({
      code: 'idempotency_key_reused',
    });
    await client.request(message('Eve'), { msgId: key2 });
    expect((await post(service, 'Ada', key2)).status).toBe(422);
    expect(calls).toEqual(['Ada', 'Eve']);
  });

  it('is the same write when one way says what the other leaves to its default', async () => {
    const payloads: unknown[] = [];
    const payload = Type.Object({ name: Type.String(), times: Type.Optional(Type.Integer({ default: 1 })) });
    const service = await testService({}, (sockets, http) => {
      serveBothWays(http, sockets, {
        definition: { ...greet, payload },
        rest: { method: 'POST', url: '/greetings' },
        phase: 'dual',
        async handle(greeting) {
          payloads.push(greeting);
          return { text: '' };
        },
      });
    });
    running.push(service);
    const client = await rawClient(`${service.ws}/ws`);
    await client.ask({ type: greet.type, msgId: key1, payload: { name: 'Ada' } });
    expect((await post(service, 'Ada', key1)).status).toBe(200);
    client.socket.terminate();
    expect(payloads).toEqual([{ name: 'Ada', times: 1 }]);
  });

  it('is that of one subject', async () => {
    const { service, calls } = await start('dual');
    const answers = await Promise.all(
      ['ada', 'eve', 'ada'].map(async (subject) => {
        const authorization = `Bearer ${subject}`;
        return (await post(service, 'Ada', 'key-1', { authorization })).status;
      }),
    );
    expect(answers).toEqual([200, 200, 200]);
    const { socket, ask } = await rawClient(`${service.ws}/ws`, { headers: { authorization: 'Bearer ada' } });
    const { type, payload } = message('Eve');
    expect((await ask({ type, payload, msgId: 'key-1' })).payload).toMatchObject({ code: 'idempotency_key_reused' });
    socket.terminate();
    expect(calls).toEqual(['Ada', 'Ada']);
  });

  it('is not taken for that of another client because both are unknown and chose the same id', async () => {
    const { service, client, calls } = await start('dual');
    const other = await rawClient(`${service.ws}/ws`);
    expect(await client.request(message('Ada'), { msgId: 'order-1' })).toEqual({ text: 'Ahoy, Ada' });
    const { type, payload } = message('Eve');
    expect((await other.ask({ type, payload, msgId: 'order-1' })).payload).toEqual({ text: 'Ahoy, Eve' });
    other.socket.terminate();
    const refused = await post(service, 'Ada', 'order-1');
    expect([refused.status, await refused.json()]).toMatchObject([400, { code: 'idempotency_key_invalid' }]);
    expect(calls).toEqual(['Ada', 'Eve']);
  });

  it('may be tried again when it has failed', async () => {
    const { service, calls } = await start('dual');
    expect((await post(service, badName, key1)).status).toBe(500);
    expect((await post(service, badName, key1)).status).toBe(500);
    expect(calls).toEqual([badName, badName]);
  });

  it('says while clients move that REST is deprecated, until when, and what comes instead', async () => {
    const { service } = await start('moving');
    const { status, headers } = await post(service, 'Ada');
    expect(status).toBe(200);
    expect(headers.get('deprecation')).toBe('@0');
    expect(headers.get('sunset')).toBe('Fri, 01 Jan 2027 00:00:00 GMT');
    expect(headers.get('link')).toBe('</ws>; rel="successor-version"');
  });

  it('only reads by REST once they have moved', async () => {
    const { service, client, calls } = await start('moved');
    const answer = await post(service, 'Ada');
    expect(answer.status).toBe(410);
    expect(await answer.json()).toMatchObject({ code: 'moved_to_websocket', details: { type: greet.type } });
    expect(calls).toEqual([]);
    expect((await fetch(`${service.api}/greetings?name=Eve`)).status).toBe(200);
    expect(await client.request(message('Ada'))).toEqual({ text: 'Ahoy, Ada' });
  });
});
