import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { outputJsonSync } from 'fs-extra/esm';
import { expect, it } from 'vitest';
import { buildCatalogue } from '../../templates/build.ts';
import { scratchFolder } from '../helpers/scratch.ts';
import { writeService } from '../helpers/serviceFolder.ts';

const catalogue = await buildCatalogue();

interface Schema {
  [keyword: string]: unknown;
  properties: Record<string, Record<string, unknown>>;
  required: string[];
}

/** An operation, as far as the cases change it. */
interface Operation {
  operationId: string;
  description?: string;
  security?: object[];
  parameters: { name: string; in: string; required?: boolean; schema: object }[];
  responses: Record<string, { description: string; content: Record<string, object> }>;
}

/** Of an operation: what it is sent, what it answers, and itself. */
interface Parts {
  sent: Schema;
  answered: Schema;
  operation: Operation;
}

type Change = (parts: Parts) => void;

const breaking: Readonly<Record<string, Change>> = {
  'a reply that is gone': ({ operation }) => delete operation.responses['200'],
  'an error that is said no longer': ({ operation }) => delete operation.responses['default'],
  'a media type that is gone': ({ operation }) => delete operation.responses['200']?.content['application/json'],
  'a member that is answered no longer': ({ answered }) => delete answered.properties['name'],
  'a member that may be missing now': ({ answered }) => answered.required.pop(),
  'a member that may be null now': ({ answered }) => (answered.properties['name'] = { type: ['string', 'null'] }),
  'a member of a wider type': ({ answered }) => (answered.properties['count'] = { type: 'number' }),
  'a member with one value more': ({ answered }) => (answered.properties['kind'] = { enum: ['a', 'b', 'c'] }),
  'a member of another format': ({ answered }) => (answered.properties['id'] = { type: 'string', format: 'email' }),
  'a member that must be sent now': ({ sent }) => sent.required.push('kind'),
  'a new member that must be sent': ({ sent }) => {
    sent.properties['more'] = { type: 'string' };
    sent.required.push('more');
  },
  'a member that may not be sent any more': ({ sent }) => delete sent.properties['kind'],
  'a narrower type': ({ sent }) => (sent.properties['count'] = { type: 'string' }),
  'one value less': ({ sent }) => (sent.properties['kind'] = { enum: ['a'] }),
  'a lower maximum': ({ sent }) => (sent.properties['count'] = { type: 'integer', maximum: 9 }),
  'a shorter text': ({ sent }) => (sent.properties['name'] = { type: 'string', maxLength: 9 }),
  'a pattern': ({ sent }) => (sent.properties['name'] = { type: 'string', maxLength: 10, pattern: '^a' }),
  'a parameter that is gone': ({ operation }) => operation.parameters.pop(),
  'a parameter that must be given now': ({ operation }) =>
    Object.assign(operation.parameters[0] ?? {}, { required: true }),
  'a parameter with a lower maximum': ({ operation }) =>
    Object.assign(operation.parameters[0]?.schema ?? {}, { maximum: 9 }),
  'a new parameter that must be given': ({ operation }) =>
    operation.parameters.push({ name: 'q', in: 'query', required: true, schema: { type: 'string' } }),
  'a token that is needed now': ({ operation }) => (operation.security = [{ bearer: [] }]),
  'another operationId': ({ operation }) => (operation.operationId = 'another'),
};

const harmless: Readonly<Record<string, Change>> = {
  nothing: () => {},
  'other words': ({ operation }) => (operation.description = 'It says more.'),
  'one more member in the answer': ({ answered }) => (answered.properties['more'] = { type: 'string' }),
  'a member that is always answered now': ({ answered }) => answered.required.push('kind'),
  'a narrower answer': ({ answered }) => (answered.properties['count'] = { type: 'integer', maximum: 5 }),
  'one more member that may be sent': ({ sent }) => (sent.properties['more'] = { type: 'string' }),
  'a member that need not be sent any more': ({ sent }) => sent.required.pop(),
  'a higher maximum': ({ sent }) => (sent.properties['count'] = { type: 'integer', maximum: 11 }),
  'one more parameter': ({ operation }) =>
    operation.parameters.push({ name: 'q', in: 'query', schema: { type: 'string' } }),
  'another media type beside it': ({ operation }) =>
    Object.assign(operation.responses['200']?.content ?? {}, { 'text/csv': {} }),
};

const all = Object.entries({ ...breaking, ...harmless });
const place = (name: string): string => `/${name.replaceAll(' ', '-')}`;

/** An API with an operation for each case, changed or not. */
function contract(version: string, cases: readonly (readonly [string, Change])[]): object {
  const paths = cases.map(([name, change]) => {
    const body = (): Schema => ({
      type: 'object',
      required: ['id', 'name'],
      properties: {
        id: { type: 'string', format: 'uuid' },
        name: { type: 'string', maxLength: 10 },
        count: { type: 'integer', maximum: 10 },
        kind: { enum: ['a', 'b'] },
      },
    });
    const [sent, answered] = [{ ...body(), additionalProperties: false }, body()];
    const content = (schema: Schema) => ({ content: { 'application/json': { schema } } });
    const operation = {
      operationId: name,
      requestBody: content(sent),
      parameters: [
        { name: 'limit', in: 'query', schema: { type: 'integer', maximum: 10 } },
        { name: 'cursor', in: 'query', schema: { type: 'string' } },
      ],
      responses: {
        200: { description: 'OK', ...content(answered) },
        202: { description: 'Accepted', content: {} },
        default: { description: 'Problem', content: {} },
      },
    };
    change({ sent, answered, operation });
    return [place(name), { post: operation }];
  });
  const components = { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } };
  return { openapi: '3.1.0', info: { title: 'orders', version }, components, paths: Object.fromEntries(paths) };
}

const before = contract(
  '1.0.0',
  all.map(([name]) => [name, () => {}]),
);

/** A service, one of several in its repository, of which 1.0.0 was released, and whose contract is now another. */
function compare(now: object, released: object = before): { status: number | null; report: string } {
  const cwd = path.join(scratchFolder(), 'orders');
  const git = (...args: string[]) =>
    spawnSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], { cwd });
  writeService(cwd, ['contract'], catalogue);
  outputJsonSync(path.join(cwd, 'api/openapi.json'), released);
  git('init', '--quiet', '..');
  git('add', '.');
  git('commit', '--quiet', '--message=a');
  git('tag', 'v1.0.0');
  outputJsonSync(path.join(cwd, 'api/openapi.json'), now);
  const { status, stdout, stderr } = spawnSync('node', ['scripts/contract.ts'], { cwd, encoding: 'utf8' });
  return { status, report: stdout + stderr };
}

/** What stands in a report below the heading of an operation. */
function partsOf(report: string): Map<string, string> {
  return new Map(report.split(/^(?=POST \/|\/)/m).map((part) => [/\/\S+/.exec(part)?.[0] ?? '', part]));
}

it('every change that breaks callers is told, and no other', () => {
  const { status, report } = compare(contract('1.1.0', all));
  const parts = partsOf(report);
  const told = all.map(([name]) => name).filter((name) => parts.get(place(name))?.includes('✖ major'));
  expect(told).toEqual(Object.keys(breaking));
  expect(status).toBe(1);
});

it('an operation that is gone is told, and what to do about it', () => {
  const { status, report } = compare(contract('1.1.0', [['nothing', () => {}]]));
  expect(status).toBe(1);
  expect(report).toMatch(/✖ major +removed/);
  expect(report).toContain('Callers of v1.0.0 break.');
});

it('an operation may be gone from the sunset on that was announced for it, and not before', () => {
  const now = contract('1.0.0', [['nothing', () => {}]]);
  const ending = (sunset: string): object =>
    contract('1.0.0', [
      ['nothing', () => {}],
      ['other words', ({ operation }) => Object.assign(operation, { deprecated: true, 'x-sunset': sunset })],
    ]);
  const day = (offset: number): string => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
  expect(compare(now, ending(day(-1)))).toMatchObject({ status: 0 });
  const early = compare(now, ending(day(2)));
  expect([early.status, early.report]).toEqual([1, expect.stringMatching(/✖ major +removed/)]);
});

it('a new major version may break callers', () => {
  const { status, report } = compare(contract('2.0.0', all));
  expect(report).toContain('✖ major');
  expect(status).toBe(0);
});
