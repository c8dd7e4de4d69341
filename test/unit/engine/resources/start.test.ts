import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { startsResources, startPath, startSteps } from '../../../../generators/engine/resources/start.ts';

const line = "import { resources } from '../../internal/resources.gen.ts';";

it('a new service starts its resources, and its lines are those of the steps', () => {
  const main = readFileSync(`templates/base/files/${startPath}`, 'utf8');
  expect(startsResources(main)).toBe(true);
  expect(startSteps[0]).toContain(line);
  expect(main).toContain(line);
});

it.each([
  [`${line}\nawait run([...modules, ...resources]);`, true],
  [`import { resources as slices } from '../resources.gen.js';\nawait run([...slices]);`, true],
  ['await run([...modules, items]);', false],
  [`${line}\nawait run([...modules]);`, false],
  [`${line}\nawait run([...modules, /* ...resources */ items]); // resources`, false],
  [`// ${line}\nawait run([...modules, ...resources]);`, false],
  [`import { resources as slices } from '../resources.gen.ts';\nawait run([resources]);`, false],
  ['', false],
])('%j', (main, expected) => {
  expect(startsResources(main)).toBe(expected);
});
