export { type BackoffOptions, backoffMs } from './backoff.ts';
export { Client } from './client.ts';
export type { SocketClass } from './connection.ts';
export {
  type Envelope,
  type ErrorPayload,
  type Opened,
  type Position,
  closeCodes,
  control,
  controlVersion,
  isAfter,
  subprotocol,
  tokenPrefix,
} from './envelope.ts';
export { MessageError } from './errors.ts';
export type { ClientOptions, State } from './options.ts';
export type { Responder } from './responders.ts';
export type { Gap, Listener } from './subscriptions.ts';
export type { Message } from './writer.ts';
