import { symlinkSync } from 'node:fs';
import path from 'node:path';
import { execaSync } from 'execa';
import { expect, it } from 'vitest';
import { newService, type TestService } from './service.ts';

/** A service in which `npm run` works: with the packages of this repository, and without its settings. */
function runnable(service: TestService): (script: string, ...args: string[]) => string {
  symlinkSync(path.resolve('node_modules'), path.join(service.root, 'node_modules'));
  return (program, ...args) =>
    execaSync(program, args, { cwd: service.root, env: { NODE_OPTIONS: '' }, all: true }).all;
}

/** A slice that its user has written. */
const parts = `import { Type } from 'typebox';
import { defineModule } from '../platform/app/module.ts';
import { http } from '../platform/http/module.ts';
import { problems, ref } from '../platform/http/problems.ts';

const Part = Type.Object({ name: Type.String() }, { $id: 'Part', additionalProperties: false });

export const parts = defineModule({
  name: 'parts',
  config: Type.Object({}),
  requires: [http],
  start({ use }) {
    use(http).addSchema(Part);
    use(http).post(
      '/parts',
      { schema: { operationId: 'createPart', summary: 'Create a part', body: ref(Part), response: { 201: ref(Part), ...problems } } },
      async ({ body }, reply) => reply.code(201).send(body),
    );
    return { value: undefined };
  },
});
`;

it('a service with routes of its own keeps to its contract, whatever is added to it and removed', () => {
  const service = newService();
  const run = runnable(service);
  const drift = () => run('npx', 'vitest', 'run', '--project=unit', 'api/');
  service.write('internal/parts/module.ts', parts);
  service.edit('cmd/server/main.ts', (text) =>
    text
      .replace('import { resources }', "import { parts } from '../../internal/parts/module.ts';\nimport { resources }")
      .replace('...resources]', '...resources, parts]'),
  );
  expect(drift).toThrow('npm run openapi writes it');
  run('npm', 'run', 'openapi');
  expect(drift()).toMatch(/2 passed/);

  const before = service.tree();
  service.must('add', 'auth');
  expect(JSON.parse(service.read('api/openapi.json'))).toMatchObject({
    security: [{ bearer: [] }],
    paths: { '/parts': { post: { operationId: 'createPart' } } },
  });
  expect(drift()).toMatch(/2 passed/);
  service.must('remove', 'auth');
  expect(service.tree()).toEqual(before);
  expect(service.must('check')).toContain('No drift');
});
