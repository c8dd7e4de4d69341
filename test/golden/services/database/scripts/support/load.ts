import { Agent, type IncomingMessage, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { once } from 'node:events';

/** What clients saw. */
export interface Tally {
  succeeded: number;
  readonly failures: string[];
  /** Replies that asked the client to leave the connection. */
  closing: number;
}

/**
 * Sends requests over keep-alive connections, one after another on each, until told to stop.
 * @param url what is asked for
 * @param connections how many at once
 * @param signal ends it: requests already sent are waited for
 * @returns what the clients saw
 */
export async function load(url: string, connections: number, signal: AbortSignal): Promise<Tally> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const tally: Tally = { succeeded: 0, failures: [], closing: 0 };
  const client = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        const { statusCode, headers } = await request(url, agent);
        if (statusCode === 200) tally.succeeded += 1;
        else tally.failures.push(`status ${statusCode}`);
        if (headers.connection === 'close') tally.closing += 1;
      } catch (error) {
        tally.failures.push(String(error));
      }
      await sleep(1);
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
  agent.destroy();
  return tally;
}

async function request(url: string, agent: Agent): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  get(url, { agent }, resolve).once('error', reject);
  const response = await promise;
  response.resume();
  await once(response, 'end');
  return response;
}
