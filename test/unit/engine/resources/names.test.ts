import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fieldNameFault,
  fieldNameOf,
  namesOf,
  resourceNameFault,
} from '../../../../generators/engine/resources/names.ts';
import { verbOf } from '../../../../generators/engine/resources/verbs.ts';
import { fieldName } from '../../../helpers/resources.ts';

describe('a name', () => {
  it.each(['order-line', 'orderLine', 'OrderLine', 'order_line', 'order line'])(
    '%s is known in every style',
    (name) => {
      expect(namesOf(name)).toEqual({
        kebab: 'order-line',
        camel: 'orderLine',
        pascal: 'OrderLine',
        snake: 'order_line',
        words: 'order line',
        article: 'an',
      });
    },
  );

  it.each([
    ['hour', 'an'],
    ['item', 'an'],
    ['umbrella', 'an'],
    ['user', 'a'],
    ['unit', 'a'],
    ['one', 'a'],
    ['euro', 'a'],
    ['customer', 'a'],
  ])('%s takes the article "%s"', (name, article) => {
    expect(namesOf(name).article).toBe(article);
  });

  it('of a field is found again from its column', () => {
    fc.assert(
      fc.property(fieldName, (name) => {
        expect(fieldNameOf(namesOf(name).snake)).toBe(name);
      }),
    );
  });

  it.each([
    ['', 'needs a name'],
    ['Order', 'use words of lower-case letters'],
    ['order-2', 'use words of lower-case letters'],
    ['bestellung-ü', 'use words of lower-case letters'],
    ['😀', 'use words of lower-case letters'],
    ['a'.repeat(300), 'the name has 300 characters; the maximum is 40'],
    ['class', 'reserved word'],
    ['date', 'hide a type'],
    ['reg-exp', 'hide a type'],
    ['constructor', 'member of every object'],
    ['value-of', 'member of every object'],
    ['platform', 'another meaning'],
    ['con', 'Windows'],
  ])('%s is refused for a resource', (name, message) => {
    expect(resourceNameFault(name)).toContain(message);
  });

  it.each([
    ['id', 'every resource has'],
    ['createdAt', 'every resource has'],
    ['xmin', 'every table of PostgreSQL has'],
    [`a${'BCd'.repeat(13)}`, 'would be longer than 63 characters'],
    ['placed_at', 'use letters and digits'],
    ['customerID', 'write it in camelCase: "customerId"'],
    ['__proto__', 'use letters and digits'],
    ['toString', 'member of every object'],
    ['then', 'member of every object'],
    ['delete', 'reserved word'],
    ['größe', 'use letters and digits'],
    ['a'.repeat(41), 'the maximum is 40'],
  ])('%s is refused for a field', (name, message) => {
    expect(fieldNameFault(name)).toContain(message);
  });

  it('of a parameter of lists is refused for a field that filters lists only', () => {
    expect(fieldNameFault('limit', true)).toContain('parameter of every list');
    expect(fieldNameFault('pageToken', true)).toContain('parameter of every list');
    expect(fieldNameFault('limit')).toBeUndefined();
  });
});

describe('the verb of a state', () => {
  it.each([
    ...['confirmed confirm', 'shipped ship', 'cancelled cancel', 'canceled cancel', 'denied deny', 'created create'],
    ...[
      'returned return',
      'approved approve',
      'rejected reject',
      'closed close',
      'opened open',
      'paid pay',
      'sent send',
    ],
    ...['delivered deliver', 'completed complete', 'archived archive', 'activated activate', 'expired expire'],
    ...['scheduled schedule', 'charged charge', 'refunded refund', 'submitted submit', 'published publish'],
    ...['passed pass', 'added add', 'installed install', 'billed bill', 'planned plan', 'placed place', 'packed pack'],
    ...['failed fail', 'enabled enable', 'disabled disable', 'blocked block', 'edited edit', 'updated update'],
    ...['reserved reserve', 'processed process', 'paused pause', 'resumed resume', 'started start', 'finished finish'],
    ...['executed execute', 'declined decline', 'assigned assign', 'merged merge', 'queued queue', 'invoiced invoice'],
    ...['in-transit -', 'active -', 'red -', 'soft_deleted soft-delete', 'fully-paid fully-pay', 'handled handle'],
    ...['collected collect', 'accepted accept', 'posted post', 'locked lock', 'loaded load', 'settled settle'],
    ...['signed sign', 'verified verify', 'registered register', 'released release', 'disputed dispute'],
  ])('%s', (pair) => {
    const [state = '', verb] = pair.split(' ');
    expect(verbOf(state) ?? '-').toBe(verb);
  });
});
