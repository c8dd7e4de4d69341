export { Client, type ClientOptions, type Listener, type Message, type Responder } from './client.ts';
export { type BackoffOptions, type ConnectionState, type SocketClass, backoffMs } from './connection.ts';
export * from './envelope.ts';
