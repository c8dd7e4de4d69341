import { describe, expect, it } from 'vitest';
import { migrateManifest } from '../../../generators/engine/migrate.ts';
import { tinyCatalogue } from '../../helpers/tinyCatalogue.ts';

const catalogue = tinyCatalogue({
  manifestVersion: 3,
  migrations: [
    { to: 2, steps: [{ move: '/modules/cache', to: '/modules/redis' }, { remove: '/colour' }] },
    { to: 3, steps: [{ set: '/service/tier', value: 'gold' }] },
  ],
});

describe('migrating a manifest', () => {
  it('takes every step between its version and the catalogue’s', () => {
    expect(migrateManifest({ version: 1, colour: 'red', modules: { cache: { size: 1 } } }, catalogue)).toEqual({
      version: 3,
      modules: { redis: { size: 1 } },
      service: { tier: 'gold' },
    });
  });

  it('makes several values of one, each its own, and none where it is not there', () => {
    const split = tinyCatalogue({
      manifestVersion: 2,
      migrations: [
        {
          to: 2,
          steps: [
            { copy: '/modules/cache', to: '/modules/store' },
            { move: '/modules/cache', to: '/modules/redis' },
            { copy: '/modules/queue', to: '/modules/broker' },
          ],
        },
      ],
    });
    const migrated = migrateManifest({ version: 1, modules: { cache: { size: 1 } } }, split) as {
      modules: Record<string, unknown>;
    };
    expect(migrated).toEqual({ version: 2, modules: { store: { size: 1 }, redis: { size: 1 } } });
    expect(migrated.modules['store']).not.toBe(migrated.modules['redis']);
  });

  it('leaves out a step whose source is not there', () => {
    expect(migrateManifest({ version: 1, modules: {} }, catalogue)).toEqual({
      version: 3,
      modules: {},
      service: { tier: 'gold' },
    });
  });

  it('does not touch what it was given', () => {
    const manifest = { version: 2 };
    migrateManifest(manifest, catalogue);
    expect(manifest).toEqual({ version: 2 });
  });

  it('leaves a manifest of the present version alone', () => {
    expect(migrateManifest({ version: 3, any: 1 }, catalogue)).toEqual({ version: 3, any: 1 });
  });

  it.each([{}, null, [], { version: '1' }, { version: 1.5 }])('refuses %j, which has no version', (manifest) => {
    expect(() => migrateManifest(manifest, catalogue)).toThrow('slipway.json has no version');
  });

  it('refuses a version that nothing leads away from', () => {
    expect(() => migrateManifest({ version: 0 }, catalogue)).toThrow('too old');
  });

  it('does not reach an object’s prototype', () => {
    const hostile = tinyCatalogue({
      manifestVersion: 2,
      migrations: [{ to: 2, steps: [{ set: '/__proto__/polluted', value: true }] }],
    });
    expect(() => migrateManifest({ version: 1 }, hostile)).toThrow('names /__proto__/polluted');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});
