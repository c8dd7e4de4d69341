import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { githubWorkflow } from '../../../generators/engine/compose/ci/github.ts';
import { gitlabPipeline } from '../../../generators/engine/compose/ci/gitlab.ts';
import { placeOf } from '../../../generators/engine/manifest.ts';
import { type CiContext, pipeline } from '../../../generators/engine/compose/ci/model.ts';
import { packageManagerDefinitions } from '../../../generators/engine/packageManagers/index.ts';
import { sampleModule } from '../../helpers/sampleModule.ts';

const jobs = pipeline([
  sampleModule('base', {
    ci: {
      jobs: [
        { id: 'lint', summary: 'Lint', script: 'lint' },
        { id: 'test', summary: 'Tests', script: 'test:integration', needs: ['lint'], timeoutMinutes: 20 },
      ],
    },
  }),
  sampleModule('postgres', {
    ci: {
      additions: {
        test: {
          env: { DATABASE_URL: 'postgres://postgres:secret@{postgres.host}:5432/test' },
          services: {
            postgres: {
              image: 'postgres:18.1',
              port: 5432,
              env: { POSTGRES_PASSWORD: 'secret' },
              healthCommand: 'pg_isready --dbname "test"',
            },
          },
        },
      },
    },
  }),
]);
const [npm, pnpm, yarn, bun] = (['npm', 'pnpm', 'yarn', 'bun'] as const).map((name) => ({
  packageManager: packageManagerDefinitions[name],
  nodeVersion: '26.12.1',
  place: placeOf({}),
  service: 'orders',
})) as [CiContext, CiContext, CiContext, CiContext];

/** Any text that YAML might take for something else. */
const awkward = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    'yes',
    '1e3',
    '# no',
    ': ',
    '- a',
    '${{ x }}',
    '{{ y }}',
    '"',
    "'",
    '\n',
    ' a ',
    '&a',
    '*a',
    '!a',
    '%',
    '@',
    '`',
  ),
);

describe('a job that looks at former commits and tags', () => {
  const [job] = pipeline([
    sampleModule('base', {
      ci: { jobs: [{ id: 'contract', summary: 'Contract', script: 'contract', history: true }] },
    }),
  ]);

  it('is given the whole history by both providers; no other job is', () => {
    const all = [...(job ? [job] : []), ...jobs];
    const github = parse(githubWorkflow(all, npm)).jobs;
    expect(github.contract.steps[0].with).toEqual({ 'fetch-depth': 0, 'persist-credentials': false });
    expect(github.lint.steps[0].with).toEqual({ 'persist-credentials': false });
    const gitlab = parse(gitlabPipeline(all, npm));
    expect(gitlab.contract.variables).toEqual({ GIT_DEPTH: '0' });
    expect(gitlab.lint).not.toHaveProperty('variables');
  });
});

describe('githubWorkflow', () => {
  it('prints thin jobs with npm', () => {
    expect(githubWorkflow(jobs, npm)).toMatchInlineSnapshot(`
      "# Each job is one npm script, so that it can be run anywhere.
      # The modules in slipway.json decide which jobs there are, and what stands beside them.
      name: ci
      on:
        push:
          branches:
            - main
        pull_request: null
      permissions:
        contents: read
      concurrency:
        group: \${{ github.workflow }}-\${{ github.ref }}
        cancel-in-progress: \${{ github.event_name == 'pull_request' }}
      jobs:
        lint:
          name: Lint
          runs-on: ubuntu-latest
          timeout-minutes: 15
          steps:
            - uses: actions/checkout@v6.0.2
              with:
                persist-credentials: false
            - uses: actions/setup-node@v6.4.0
              with:
                node-version-file: .nvmrc
                cache: npm
            - run: npm ci
            - run: npm run lint
        test:
          name: Tests
          runs-on: ubuntu-latest
          timeout-minutes: 20
          needs:
            - lint
          services:
            postgres:
              image: postgres:18.1
              env:
                POSTGRES_PASSWORD: secret
              ports:
                - 5432:5432
              options: --health-cmd "pg_isready --dbname \\"test\\"" --health-interval 5s --health-timeout 5s --health-retries 12
          env:
            DATABASE_URL: postgres://postgres:secret@localhost:5432/test
          steps:
            - uses: actions/checkout@v6.0.2
              with:
                persist-credentials: false
            - uses: actions/setup-node@v6.4.0
              with:
                node-version-file: .nvmrc
                cache: npm
            - run: npm ci
            - run: npm run test:integration
      "
    `);
  });

  it('sets up pnpm before Node, whose cache needs it', () => {
    expect(parse(githubWorkflow(jobs, pnpm)).jobs.lint.steps).toMatchInlineSnapshot(`
      [
        {
          "uses": "actions/checkout@v6.0.2",
          "with": {
            "persist-credentials": false,
          },
        },
        {
          "uses": "pnpm/action-setup@v4.4.0",
        },
        {
          "uses": "actions/setup-node@v6.4.0",
          "with": {
            "cache": "pnpm",
            "node-version-file": ".nvmrc",
          },
        },
        {
          "run": "pnpm install --frozen-lockfile",
        },
        {
          "run": "pnpm run lint",
        },
      ]
    `);
  });

  it.each([
    [
      yarn,
      `npm install --global --force "$(node --print 'require("./package.json").packageManager.replace("yarn", "@yarnpkg/cli-dist")')"`,
      { path: '~/.yarn/berry/cache', key: "${{ runner.os }}-yarn-${{ hashFiles('yarn.lock') }}" },
      'yarn install --immutable',
    ],
    [
      bun,
      `npm install --global --ignore-scripts "$(node --print 'require("./package.json").packageManager')" && node "$(npm root --global)/bun/install.js"`,
      { path: '~/.bun/install/cache', key: "${{ runner.os }}-bun-${{ hashFiles('bun.lock') }}" },
      'bun install --frozen-lockfile',
    ],
  ])(
    'sets up a package manager that setup-node cannot cache for: $packageManager.name',
    (context, setUp, cached, ci) => {
      const [, ...steps] = parse(githubWorkflow(jobs, context)).jobs.lint.steps;
      expect(steps).toEqual([
        { uses: 'actions/setup-node@v6.4.0', with: { 'node-version-file': '.nvmrc' } },
        { run: setUp },
        { uses: 'actions/cache@v5.0.5', with: cached },
        { run: ci },
        { run: `${context.packageManager.name} run lint` },
      ]);
    },
  );

  it('runs every job on the least permissions, with a time limit and one npm script', () => {
    const workflow = parse(githubWorkflow(jobs, npm));
    expect(workflow.permissions).toEqual({ contents: 'read' });
    for (const job of jobs) {
      const printed = workflow.jobs[job.id];
      expect(printed['timeout-minutes']).toBe(job.timeoutMinutes);
      expect(printed.permissions).toBeUndefined();
      expect(printed.steps.at(-1)).toEqual({ run: `npm run ${job.script}` });
      for (const { uses } of printed.steps.filter((step: object) => 'uses' in step)) {
        expect(uses).toMatch(/^[\w-]+\/[\w-]+@v\d+\.\d+\.\d+$/);
      }
    }
  });
});

describe('gitlabPipeline', () => {
  it('prints thin jobs with npm', () => {
    expect(gitlabPipeline(jobs, npm)).toMatchInlineSnapshot(`
      "# Each job is one npm script, so that it can be run anywhere.
      # The modules in slipway.json decide which jobs there are, and what stands beside them.
      workflow:
        name: ci
        rules:
          - if: $CI_PIPELINE_SOURCE == "merge_request_event"
          - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
      stages:
        - test
      default:
        image: node:26.12.1-trixie
        interruptible: true
        cache:
          key:
            files:
              - package-lock.json
          paths:
            - .npm/
        before_script:
          - npm ci --cache .npm --prefer-offline
      lint:
        stage: test
        timeout: 15 minutes
        script:
          - npm run lint
      test:
        stage: test
        needs:
          - lint
        timeout: 20 minutes
        services:
          - name: postgres:18.1
            alias: postgres
            variables:
              POSTGRES_PASSWORD: secret
              HEALTHCHECK_TCP_PORT: '5432'
        variables:
          DATABASE_URL: postgres://postgres:secret@postgres:5432/test
        script:
          - npm run test:integration
      "
    `);
  });

  it('installs the pnpm that package.json names', () => {
    expect(parse(gitlabPipeline(jobs, pnpm)).default).toMatchInlineSnapshot(`
      {
        "before_script": [
          "npm install --global "$(node --print 'require("./package.json").packageManager')"",
          "pnpm install --frozen-lockfile --store-dir .pnpm-store",
        ],
        "cache": {
          "key": {
            "files": [
              "pnpm-lock.yaml",
            ],
          },
          "paths": [
            ".pnpm-store/",
          ],
        },
        "image": "node:26.12.1-trixie",
        "interruptible": true,
      }
    `);
  });

  it.each([
    [yarn, 'yarn.lock', '.cache/yarn/', 'YARN_GLOBAL_FOLDER=.cache/yarn yarn install --immutable'],
    [bun, 'bun.lock', '.cache/bun/', 'bun install --frozen-lockfile --cache-dir .cache/bun'],
  ])(
    'sets up $packageManager.name, and caches its packages inside the service',
    (context, lockfile, folder, install) => {
      const { before_script: lines, cache } = parse(gitlabPipeline(jobs, context)).default;
      expect(lines).toEqual([context.packageManager.setUp, install]);
      expect(cache).toEqual({ key: { files: [lockfile] }, paths: [folder] });
    },
  );

  it('puts each job into a stage that is there', () => {
    const printed = parse(gitlabPipeline(jobs, npm));
    expect(printed.stages).toEqual(expect.arrayContaining(jobs.map(({ id }) => printed[id].stage)));
  });
});

describe.each([
  ['githubWorkflow', githubWorkflow],
  ['gitlabPipeline', gitlabPipeline],
])('%s', (_, print) => {
  it('prints YAML that gives back every value, whatever its characters', () => {
    fc.assert(
      fc.property(awkward, awkward, awkward, (image, command, value) => {
        const service = { image, port: 1, env: { VALUE: value }, healthCommand: command };
        const [job] = jobs;
        if (!job) throw new Error('no job');
        const printed = parse(
          print([{ ...job, summary: command, services: { one: service }, env: { VALUE: value } }], npm),
        );
        const { name, image: same, env, variables } = printed.jobs?.lint.services.one ?? printed.lint.services[0];
        expect(same ?? name).toBe(image);
        expect((env ?? variables).VALUE).toBe(value);
        expect((printed.jobs?.lint.env ?? printed.lint.variables).VALUE).toBe(value);
      }),
    );
  });

  it('prints the same twice, and no tag, anchor or folded line', () => {
    const text = print(jobs, npm);
    expect(print(jobs, npm)).toBe(text);
    expect(text).not.toMatch(/^\s*[\w-]+: [>|&*!]/m);
    expect(text.endsWith('\n')).toBe(true);
  });
});
