import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CatalogueModule, CiJob, CiService } from '../../../generators/engine/model.ts';
import { pipeline, withHosts } from '../../../generators/engine/compose/ci/model.ts';
import { SlipwayError } from '../../../generators/engine/errors.ts';
import { sampleModule } from '../../helpers/sampleModule.ts';

const lint: CiJob = { id: 'lint', summary: 'Lint', script: 'lint' };
const test: CiJob = { id: 'test', summary: 'Tests', script: 'test', needs: ['lint'] };
const base = sampleModule('base', { ci: { jobs: [test, lint] } });
const postgres: CiService = {
  image: 'postgres:18',
  port: 5432,
  env: { POSTGRES_DB: 'x' },
  healthCommand: 'pg_isready',
};

function adding(
  id: string,
  job: string,
  env: Record<string, string>,
  services: Record<string, CiService> = {},
): CatalogueModule {
  return sampleModule(id, { ci: { additions: { [job]: { env, services } } } });
}

function fault(modules: readonly CatalogueModule[]): string {
  try {
    pipeline(modules);
  } catch (error) {
    if (error instanceof SlipwayError) return error.message;
    throw error;
  }
  return 'none';
}

describe('pipeline', () => {
  it('puts each job after those it needs, and otherwise in the order of ids', () => {
    const image: CiJob = { id: 'image', summary: 'Image', script: 'image' };
    const jobs = [test, { ...image, id: 'build' }, lint, { ...image, id: 'all', needs: ['test', 'build'] }];
    const found = pipeline([sampleModule('base', { ci: { jobs } })]);
    expect(found.map(({ id }) => id)).toEqual(['build', 'lint', 'test', 'all']);
  });

  it('fills in defaults', () => {
    expect(pipeline([base])[0]).toEqual({
      ...lint,
      history: false,
      needs: [],
      timeoutMinutes: 15,
      services: {},
      env: {},
    });
  });

  it('merges what modules add to a job, and leaves other jobs alone', () => {
    const [first, second] = pipeline([
      base,
      adding('redis', 'test', { REDIS_URL: 'redis://cache' }),
      adding('postgres', 'test', { DATABASE_URL: 'postgres://{postgres.host}/x' }, { postgres }),
    ]);
    expect(first?.env).toEqual({});
    expect(second?.env).toEqual({ DATABASE_URL: 'postgres://{postgres.host}/x', REDIS_URL: 'redis://cache' });
    expect(second?.services).toEqual({ postgres });
  });

  it('lets two modules say the same', () => {
    const [, job] = pipeline([
      base,
      adding('a', 'test', { TZ: 'UTC' }, { postgres }),
      adding('b', 'test', { TZ: 'UTC' }, { postgres }),
    ]);
    expect(job?.services).toEqual({ postgres });
  });

  it('does not show the order of the modules', () => {
    const modules = [
      base,
      adding('a', 'test', { A: '1', C: '3' }),
      adding('b', 'test', { B: '2' }, { postgres }),
      sampleModule('c', { ci: { jobs: [{ ...lint, id: 'scan' }] } }),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(modules, { minLength: modules.length }), (shuffled) => {
        expect(JSON.stringify(pipeline(shuffled))).toBe(JSON.stringify(pipeline(modules)));
      }),
    );
  });

  it.each([
    ['a variable', adding('a', 'test', { TZ: 'UTC' }), adding('b', 'test', { TZ: 'CET' })],
    [
      'a service',
      adding('a', 'test', {}, { postgres }),
      adding('b', 'test', {}, { postgres: { ...postgres, port: 1 } }),
    ],
    [
      'a job',
      sampleModule('a', { ci: { jobs: [{ ...lint, id: 'x' }] } }),
      sampleModule('b', { ci: { jobs: [{ ...lint, id: 'x' }] } }),
    ],
  ])('names both modules that disagree on %s', (_, a, b) => {
    expect(fault([base, a, b])).toMatch(/"a".*"b"/);
  });

  it.each([
    ['a job that is added to', adding('redis', 'tset', { A: '1' }), /module "redis" names the CI job "tset"/],
    [
      'a job that is needed',
      sampleModule('redis', { ci: { jobs: [{ ...lint, id: 'x', needs: ['y'] }] } }),
      /module "redis" names the CI job "y"/,
    ],
    ['a service that is pointed at', adding('redis', 'test', { URL: '{redis.host}' }), /URL to \{redis\.host\}/],
  ])('names %s and does not exist', (_, module, message) => {
    expect(fault([base, module])).toMatch(message);
  });

  it('names jobs that wait for one another', () => {
    const jobs = [{ ...lint, needs: ['test'] }, test, { ...lint, id: 'build' }];
    expect(fault([sampleModule('base', { ci: { jobs } })])).toBe(
      'the CI jobs lint, test wait for one another in a circle',
    );
  });

  it.each([
    ['a job named as a word of GitLab', sampleModule('x', { ci: { jobs: [{ ...lint, id: 'pages' }] } })],
    ['a job named __proto__', sampleModule('x', { ci: { jobs: [{ ...lint, id: '__proto__' }] } })],
    [
      'a script with a shell metacharacter',
      sampleModule('x', { ci: { jobs: [{ ...lint, id: 'x', script: 'lint; curl' }] } }),
    ],
    ['a variable in lower case', adding('x', 'test', { path: '1' })],
    ['a service with a dot', adding('x', 'test', {}, { 'a.b': postgres })],
    ['a value that one provider would expand', adding('x', 'test', { A: '${{ secrets.B }}' })],
  ])('refuses %s', (_, module) => {
    expect(fault([base, module])).toMatch(/^the CI job/);
  });
});

describe('withHosts', () => {
  it('fills in every host and leaves other braces alone', () => {
    const env = { A: '{a.host},{b-c.host}', B: '{"a":1}', C: '$&' };
    expect(withHosts(env, (service) => `${service}$&`)).toEqual({ A: 'a$&,b-c$&', B: '{"a":1}', C: '$&' });
  });
});
