import { expect, test } from 'vitest';

import { choose } from '../../../../../generators/engine/resources/from/choose.ts';
import { fromSql } from '../../../../../generators/engine/resources/from/sql.ts';

const { found } = fromSql(`
  create table customers (id uuid primary key, name varchar(80) not null);
  create table order_lines (id uuid primary key, customer_id uuid not null references customers, note text);
`);

test('a ref to a resource that is not taken is a uuid, and is listed', () => {
  const [line, ...more] = choose(found, ['OrderLines'], []);
  expect(more).toEqual([]);
  expect(line?.fields).toEqual({ customer: 'uuid', note: 'text?' });
  expect(line?.left).toEqual(['order-line.customer: the resource customer is not taken; the field is a uuid']);
});

test.each([
  ['is taken, too', ['order_line', 'customer'], []],
  ['is there already', ['order-line'], ['customer']],
])('a ref to a resource that %s stays', (_, names, present) => {
  expect(choose(found, names, present).at(-1)).toMatchObject({ fields: { customer: 'ref(customer)' }, left: [] });
});

test('a resource comes after those that it refers to; in a circle after those that it needs', () => {
  const circle = fromSql(`
    create table cars (id uuid primary key, engine_id uuid not null, note text);
    create table drivers (id uuid primary key, car_id uuid references cars, note text);
    create table engines (id uuid primary key, driver_id uuid references drivers);
    create table trips (id uuid primary key, car_id uuid references cars, trip_id uuid not null references trips);
    alter table cars add foreign key (engine_id) references engines;
  `);
  const names = choose(circle.found, ['trip', 'car', 'driver', 'engine'], []).map(({ name }) => name);
  expect(names).toEqual(['driver', 'engine', 'car', 'trip']);
});

test('a name that is not found is an error with a hint', () => {
  expect(() => choose(found, ['custmer'], [])).toThrow(
    expect.objectContaining({
      message: 'no resource "custmer" is found',
      hint: 'did you mean "customer"?',
      exitCode: 2,
    }),
  );
});
