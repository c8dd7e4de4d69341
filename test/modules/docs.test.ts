import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/** Pages whose commands ask the example for something: `docs/modules.md` sets the token for its own commands. */
const pages = globSync('templates/modules/*/files/docs/*.md{,.hbs}').filter((page) =>
  /^(?:curl .*localhost:8080\/items|grpcurl .*items\.v1)/m.test(readFileSync(page, 'utf8')),
);

it.each(pages)('%s says how its commands get past a service that asks who calls', (page) => {
  expect(readFileSync(page, 'utf8')).toContain('"authorization: Bearer $TOKEN"');
});
