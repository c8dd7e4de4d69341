import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { execaSync } from 'execa';
import { outputJsonSync } from 'fs-extra/esm';
import { expect, it } from 'vitest';
import { decode, encode } from '../../generators/engine/text.ts';
import { buildCatalogue } from '../../templates/build.ts';
import { serviceOfPreset } from '../helpers/weight.ts';
import { scratchFolder } from '../helpers/scratch.ts';

const catalogue = await buildCatalogue();
const preset = catalogue.presets['default'] ?? expect.fail();
const good = JSON.parse(decode(serviceOfPreset(preset, catalogue).get('api/openapi.json')?.bytes ?? encode('')) ?? '');

/** Rule → what breaks it, and it alone. */
const planted: Readonly<Record<string, (document: typeof good) => void>> = {
  'no-invalid-schema-examples': ({ components }) => (components.schemas.Item.examples[0].quantity = 'three'),
  'no-unresolved-refs': ({ components }) => (components.schemas.ItemList.properties.items.items.$ref = '#/nowhere'),
  'operation-operationId': ({ paths }) => delete paths['/items'].get.operationId,
  'operation-operationId-unique': ({ paths }) => (paths['/items/{id}'].get.operationId = 'createItem'),
  'operation-summary': ({ paths }) => delete paths['/items'].get.summary,
  'path-parameters-defined': ({ paths }) => (paths['/items/{id}'].get.parameters = []),
  'rule/named-schemas': ({ paths }) => {
    paths['/items'].get.responses[200].content['application/json'].schema = { type: 'object' };
  },
  'rule/problem-by-default': ({ paths }) => delete paths['/items/{id}'].get.responses.default,
  'security-defined': (document) => (document.security = [{ unheardOf: [] }]),
  struct: ({ components }) => (components.schemas.NewItem.properties.name.type = 'text'),
};

/** Rules that the linter of a service finds broken. */
function brokenIn(document: object): string[] {
  const cwd = scratchFolder();
  copyFileSync('templates/modules/contract/files/redocly.yaml', path.join(cwd, 'redocly.yaml'));
  outputJsonSync(path.join(cwd, 'api/openapi.json'), document);
  const program = path.resolve('node_modules/.bin/redocly');
  const { stdout, exitCode } = execaSync(program, ['lint', 'api/openapi.json', '--format=json'], {
    cwd,
    reject: false,
  });
  const { problems } = JSON.parse(stdout);
  expect(exitCode).toBe(problems.length === 0 ? 0 : 1);
  return [...new Set<string>(problems.map(({ ruleId }: { ruleId: string }) => ruleId))].sort();
}

it('the contract as it is laid down breaks no rule', () => {
  expect(brokenIn(good)).toEqual([]);
});

it('each fault in a contract is found', () => {
  const faulty = structuredClone(good);
  for (const plant of Object.values(planted)) plant(faulty);
  expect(brokenIn(faulty)).toEqual(Object.keys(planted).sort());
});
