/** What everything is measured against: Fastify with a response schema, and nothing else. */
import { fastify } from 'fastify';

const app = fastify();
const response = { 200: { type: 'object', properties: { hello: { type: 'string' } } } };
app.get('/hello', { schema: { response } }, () => ({ hello: 'world' }));
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) });
