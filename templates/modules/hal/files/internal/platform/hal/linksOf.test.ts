import { expect, it } from 'vitest';
import { linksOf } from './linksOf.ts';

type Json<Body> = { content: { 'application/json': Body } };
type Api = {
  getThing: { parameters: { path: { id: string } }; responses: { 200: Json<{ id: string; size: number }> } };
  dropThing: { parameters: { path: { id: string } }; responses: { 204: { content?: never } } };
  listThings: {
    parameters: { query?: { cursor?: string } };
    responses: { 200: Json<{ things: { id: string; size: number }[]; names: string[] }> };
  };
};

const { collection, resource, template, to } = linksOf<Api>();

it('what the contract does not have does not compile', () => {
  const thing = resource('getThing', {
    self: ({ id }) => ({ path: { id } }),
    links: {
      'api:drop': to('dropThing', ({ id, size }) => size === 0 && { path: { id } }),
      collection: to('listThings'),
    },
  });
  expect(thing.operations).toEqual(['getThing']);
  const wrong = [
    // @ts-expect-error there is no such operation
    to('getThings'),
    // @ts-expect-error a parameter is missing
    to('getThing'),
    // @ts-expect-error a parameter is missing
    to('getThing', () => ({ path: {} })),
    // @ts-expect-error a parameter is of another type
    to('getThing', () => ({ path: { id: 7 } })),
    // @ts-expect-error the query has no such parameter
    template('listThings', ['page']),
    // @ts-expect-error a thing has no colour
    resource('getThing', { self: ({ colour }) => ({ path: { id: colour } }) }),
    // @ts-expect-error the list has no such member
    collection('listThings', { of: thing, member: 'thing' }),
  ];
  expect(wrong).toHaveLength(7);
});
