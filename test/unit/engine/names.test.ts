import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { fileNameFault, serviceNameFault } from '../../../generators/engine/names.ts';

describe('a service name', () => {
  it.each(['orders', 'order-history', 'a', 'o2', 'x'.repeat(40)])('"%s" will do', (name) => {
    expect(serviceNameFault(name)).toBeUndefined();
  });

  it.each([
    ...[
      '',
      'Orders',
      '1orders',
      '-orders',
      'orders-',
      'a--b',
      'order_history',
      'order.history',
      'x'.repeat(41),
      'x'.repeat(300),
    ],
    ...['../orders', 'a/b', 'a\\b', '/orders', '.', '..', 'C:orders', 'orders\0'],
    ...['$(reboot)', 'a;b', 'a b', 'a&b', 'a|b', '`id`', "it's", '"a"', 'a\nb', '*', '~'],
    ...['a: b', '- a', '#a', '{a}', '[a]', '&a', '!a', '%a', '@a', '{{name}}', '${{ x }}', '<%= x %>'],
    ...['café', 'заказы', '注文', '🚀', 'orders\u200b', 'ﬁ'],
    ...['true', 'null', 'yes', 'off', 'con', 'lpt1', 'node', 'default', 'localhost', 'constructor'],
  ])('%j is refused', (name) => {
    expect(serviceNameFault(name)).toBeTypeOf('string');
  });

  it.each(['con', 'NUL.txt', 'aux .c', 'com1', 'LPT³.x', 'CONIN$', 'a.', 'a ', 'a:b', 'a*', 'a\\b', 'a\nb', 'a|b'])(
    'the file name %j is refused',
    (name) => expect(fileNameFault(name)).toBeTypeOf('string'),
  );

  it.each(['console.ts', 'nullable', 'com10', 'a.b', '.env', '~', 'aux-data.ts', 'commit.con'])(
    'the file name %j will do',
    (name) => expect(fileNameFault(name)).toBeUndefined(),
  );

  it('that is accepted is a string to YAML, a DNS label and one shell word', () => {
    const anything = fc.oneof(fc.string(), fc.stringMatching(/^[a-z0-9-]{1,12}$/));
    fc.assert(
      fc.property(anything, (name) => {
        fc.pre(serviceNameFault(name) === undefined);
        expect(parse(name)).toBe(name);
        expect(name).toMatch(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/);
      }),
    );
  });
});
