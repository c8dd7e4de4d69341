import { expect, it } from 'vitest';
import { root } from './support/service.ts';
import { findViolations } from './support/walls.ts';

it('no import goes through the walls between cmd, internal, pkg and api', async () => {
  expect(await findViolations(root)).toEqual([]);
});
