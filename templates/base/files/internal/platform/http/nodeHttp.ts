/**
 * Node's HTTP. It is not imported, because an import of `node:http` evaluates each of its exports, and one of them, `WebSocket`, loads
 * Node's fetch (undici): 5 % of the time to start.
 */
export const nodeHttp = process.getBuiltinModule('node:http');
