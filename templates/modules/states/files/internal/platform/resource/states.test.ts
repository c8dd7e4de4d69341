import { Registry } from '@prometheus-io/client';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { StateMetrics } from './states.ts';

const samples = async (registry: Registry): Promise<string[]> =>
  (await registry.metrics()).split('\n').filter((line) => line.startsWith('resource_'));

it('transitions are counted, and entities by state at most once in a minute', async () => {
  let now = 0;
  const registry = new Registry();
  const stored = new Map([['created', 2]]);
  const states = new StateMetrics(registry, pino({ level: 'silent' }), () => now);
  const transitions = { send: { from: ['created', 'held'], to: 'sent' } };
  const count = states.watch('orders', 'state', { countBy: async () => new Map(stored) }, transitions);
  expect(await samples(registry)).toEqual([
    'resource_transitions_total{resource="orders",from="created",to="sent"} 0',
    'resource_transitions_total{resource="orders",from="held",to="sent"} 0',
    'resource_entities{resource="orders",state="created"} 2',
  ]);
  const before = { id: '1', version: 1, createdAt: '', updatedAt: '', state: 'created' };
  const entity = { ...before, state: 'sent' };
  count({ change: 'created', entity: before, before: undefined });
  count({ change: 'send', entity, before });
  count({ change: 'send', entity, before });
  count({ change: 'changed', entity, before: entity });
  const counted = [
    'resource_transitions_total{resource="orders",from="created",to="sent"} 2',
    'resource_transitions_total{resource="orders",from="held",to="sent"} 0',
  ];
  const expected = [...counted, 'resource_entities{resource="orders",state="created"} 2'];
  expect(await samples(registry)).toEqual(expected);

  stored.clear();
  stored.set('sent', 2);
  now = 59_999;
  expect(await samples(registry)).toEqual(expected);
  now = 60_000;
  expect(await samples(registry)).toEqual([...counted, 'resource_entities{resource="orders",state="sent"} 2']);
});

it('a count that fails is logged, and the other resources keep their numbers', async () => {
  const registry = new Registry();
  let log = '';
  const states = new StateMetrics(registry, pino({}, { write: (line) => (log += line) }));
  states.watch('orders', 'state', { countBy: () => Promise.reject(new Error('no database')) }, {});
  states.watch('parcels', 'state', { countBy: async () => new Map([['packed', 1]]) }, {});
  expect(await samples(registry)).toEqual(['resource_entities{resource="parcels",state="packed"} 1']);
  expect(JSON.parse(log)).toMatchObject({
    resource: 'orders',
    msg: 'states not counted',
    err: { message: 'no database' },
  });
});
