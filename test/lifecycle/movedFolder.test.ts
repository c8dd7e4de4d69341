import { describe, expect, it } from 'vitest';
import { changed } from '../helpers/secondCatalogue.ts';
import { lostImports, moveFolder } from '../helpers/moveFolder.ts';
import { newService } from './service.ts';

describe.each([
  ['internal/platform', 'internal/infra'],
  ['internal/platform/http', 'internal/web'],
])('a service in which %s is now %s', (from, to) => {
  it('gets new modules there, gives them back, and all imports find their files', () => {
    const service = newService();
    moveFolder(service, from, to);
    service.must('update');
    const before = service.tree();
    expect(lostImports(service)).toEqual([]);
    service.must('add', 'postgres', 'grpc');
    expect(lostImports(service)).toEqual([]);
    expect(Object.keys(service.tree()).filter((file) => file.startsWith(`${from}/`))).toEqual([]);
    expect(service.must('check')).toBe('No drift: the service is as slipway.json says.\n');
    service.must('remove', 'postgres', 'grpc');
    expect(service.tree()).toEqual(before);
  });

  it('is updated there, and imports that were rewritten are no conflict', () => {
    const service = newService('--preset=database');
    moveFolder(service, from, to);
    service.second.must('update');
    expect(lostImports(service)).toEqual([]);
    expect(service.second.must('check')).toContain('No drift');
  });
});

it('a file that the user has moved and the template renames stays where the user has it, with the imports of it', () => {
  const service = newService('--preset=database');
  moveFolder(service, changed.renamed.from, 'internal/openapi/document.ts');
  service.second.must('update');
  expect(service.read('internal/platform/http/server.ts')).toContain("from '../../openapi/document.ts'");
  expect(service.tree()).not.toHaveProperty([changed.renamed.to]);
  expect(lostImports(service)).toEqual([]);
});

it('paths in new files, built from where the file is, lead from the deeper folder to the same places', () => {
  const service = newService();
  moveFolder(service, 'internal/platform', 'internal/lib/infra');
  service.must('update');
  service.must('add', 'postgres', 'static');
  expect(service.read('internal/lib/infra/postgres/migrate.ts')).toContain(
    "new URL('../../../migrations/', import.meta.url)",
  );
  expect(service.read('internal/lib/infra/static/module.ts')).toContain(
    "path.join(import.meta.dirname, '../../../../public')",
  );
  expect(service.must('check')).toContain('No drift');
  service.must('remove', 'postgres', 'static');
  expect(Object.keys(service.tree()).filter((file) => /postgres|static/.test(file))).toEqual([]);
});
