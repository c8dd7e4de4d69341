import { describe, expect, it } from 'vitest';
import { isMember } from '../../../generators/io/monorepo.ts';

describe('a folder is a member of a workspace', () => {
  it.each([
    ['services/orders', ['services/*']],
    ['services/orders', ['./services/*/']],
    ['services/orders', ['services/orders']],
    ['services/orders', ['**']],
    ['services/orders', ['services/**']],
    ['a/b/orders', ['a/**/orders']],
    ['orders', ['**/orders']],
    ['services/orders', ['{apps,services}/*']],
    ['services/orders', ['{apps,services}/{billing,orders}']],
    ['services/orders', ['services/ord*s']],
    ['services/orders', ['!services/*', 'services/orders']],
  ])('%s: %j', (folder, patterns) => {
    expect(isMember(folder, patterns)).toBe(true);
  });

  it.each([
    ['services/orders', []],
    ['services/orders', ['services']],
    ['services/orders', ['packages/*']],
    ['services/orders', ['*']],
    ['services/a/orders', ['services/*']],
    ['services/orders', ['services/*', '!**/orders']],
    ['services/orders', ['services.orders']],
    ['services/orders', ['(services/orders']],
    ['services/orders', ['{apps,services/orders']],
    ['services/orders', [`${'{,services}'.repeat(30)}/*`]],
    ['services/orders/src', ['services/orders']],
    [`services/${'a'.repeat(40)}b`, [`services/${'*a'.repeat(40)}`]],
  ])('%s is not: %j', (folder, patterns) => {
    expect(isMember(folder, patterns)).toBe(false);
  });
});
