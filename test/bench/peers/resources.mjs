/** What the routes of a resource are measured against: Fastify with schemas of the replies, and the same queries by pg. */
import { fastify } from 'fastify';
import pg from 'pg';

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const item = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    version: { type: 'integer' },
    name: { type: 'string' },
    quantity: { type: 'integer' },
    createdAt: { type: 'string', format: 'date-time' },
    updatedAt: { type: 'string', format: 'date-time' },
  },
};
const items = { type: 'object', properties: { items: { type: 'array', items: item } } };
const entityOf = ({ created_at: createdAt, updated_at: updatedAt, ...row }) => ({ ...row, createdAt, updatedAt });

const app = fastify();
app.get('/items', { schema: { response: { 200: items } } }, async () => {
  const { rows } = await pool.query('select * from items order by created_at desc, id desc limit $1', [20]);
  return { items: rows.map(entityOf) };
});
app.get('/items/:id', { schema: { response: { 200: item } } }, async ({ params: { id } }) => {
  const { rows } = await pool.query('select * from items where id = $1', [id]);
  return entityOf(rows[0]);
});
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) });
