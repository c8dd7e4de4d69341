import type { Envelope } from './envelope.ts';

/** The server is trusted to keep to its own schemas: `api/websocket.json`. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function payloadOf<Payload>({ payload }: Envelope): Payload {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return payload as Payload;
}
