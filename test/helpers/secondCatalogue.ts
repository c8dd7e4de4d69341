import { posix } from 'node:path';
import type {
  Catalogue,
  CatalogueModule,
  Ownership,
  Template,
  TemplateFile,
  TemplatePart,
} from '../../generators/engine/model.ts';

/** Changes of the second version to the files of the first. */
export const changed = {
  /** Merged files, and templates of resources, import this file. */
  renamed: { from: 'internal/platform/http/problems.ts', to: 'internal/platform/http/description/problems.ts' },
  /** A seed imports this file. */
  renamedStart: { from: 'internal/platform/app/run.ts', to: 'internal/platform/app/start/run.ts' },
  renamedSeed: { from: 'renovate.json', to: '.renovaterc.json' },
  dropped: '.editorconfig',
  droppedSeed: 'README.md',
  /** File → old text and new text. */
  edited: {
    'internal/platform/http/admission.ts': ['Refuses requests', 'Refuses all requests'],
    'internal/platform/http/connections.ts': ['sweepMs = 50', 'sweepMs = 25'],
    'internal/platform/http/requests.ts': ["'request broken off'", "'request was broken off'"],
  },
  new: 'internal/platform/http/trailers.ts',
  script: 'outdated',
  /** The file was merged. */
  toSeed: 'vitest.config.ts',
  /** The file was merged. */
  toManaged: '.nvmrc',
  /** The file was a seed. */
  toMerged: 'docs/decisions/001-slipway.md',
} as const;

/**
 * Creates the version after the built one. It has every kind of change between two releases, made by editing data.
 * Options move and keys are dropped (`/modules/postgres/version` becomes `server`, `/node` is dropped), so the
 * manifest has a migration.
 * @param built the catalogue of this repository
 * @returns its next minor version
 */
export function nextCatalogue(built: Catalogue): Catalogue {
  const manifestVersion = built.manifestVersion + 1;
  return {
    ...built,
    version: nextMinor(built.version),
    manifestVersion,
    migrations: [
      ...built.migrations,
      {
        to: manifestVersion,
        steps: [{ move: '/modules/postgres/version', to: '/modules/postgres/server' }, { remove: '/node' }],
      },
    ],
    node: { ...built.node, image: '26.99.0' },
    versions: { ...built.versions, fastify: '^5.99.0' },
    ...(built.lockfiles && { lockfiles: withFastify(built.lockfiles, '5.99.0') }),
    base: nextBase(built.base),
    modules: Object.fromEntries(
      Object.values({ ...built.modules, postgres: nextPostgres(built.modules['postgres']) }).map((module) => [
        module.id,
        // The imports of the modules follow the renamed file of the base.
        { ...module, files: renameFiles(module.files), ...withResource(module) },
      ]),
    ),
  };
}

function nextBase(base: CatalogueModule): CatalogueModule {
  const { renamed, renamedStart, renamedSeed, dropped, droppedSeed, edited } = changed;
  const files = renameFiles(base.files)
    .filter(({ path }) => path !== dropped && path !== droppedSeed)
    .map((file) => editFile(file, edited))
    .map((file) => (file.path === changed.toMerged ? appendText(file, '\n## Since the second version\n') : file))
    .map((file) => ({ ...file, ownership: nextOwnership(file) }));
  const added = {
    path: changed.new,
    ownership: 'merged',
    text: "/** Of a reply. */\nexport const trailerHeader = 'trailer';\n",
  } as const;
  return {
    ...base,
    files: [...files, added],
    ...withResource(base),
    scripts: { ...base.scripts, [changed.script]: 'npm outdated' },
    renamed: Object.fromEntries([renamed, renamedStart, renamedSeed].map(({ from, to }) => [from, to])),
  };
}

function nextOwnership({ path, ownership }: TemplateFile): Ownership {
  if (path === changed.toSeed) return 'seed';
  if (path === changed.toManaged) return 'managed';
  return path === changed.toMerged ? 'merged' : ownership;
}

/** Renames the option `version` to `server` and adds an option, which the Compose fragment uses. */
function nextPostgres(postgres: CatalogueModule | undefined): CatalogueModule {
  const { version, ...options } = postgres?.options ?? {};
  if (postgres === undefined || version === undefined) throw new Error('postgres has no option "version" any more');
  const readOnly = { type: 'boolean', summary: 'A second, read-only server', default: false } as const;
  const ci: unknown = JSON.parse(JSON.stringify(postgres.ci).replaceAll('{option.version}', '{option.server}'));
  return {
    ...postgres,
    options: { ...options, server: version, readOnly },
    // A copy with one changed name, so it keeps its type.
    ci: ci as NonNullable<CatalogueModule['ci']>,
    files: postgres.files.map((file) => {
      if (!('template' in file)) return file;
      const template = file.template.map(renameOption);
      return file.path === 'deploy/compose/postgres.yaml'
        ? { ...file, template: [...template, replica] }
        : { ...file, template };
    }),
  };
}

const replica: TemplatePart = {
  if: { path: ['options', 'readOnly'] },
  yes: ['# A read-only server follows.\n'],
  no: [],
};

function renameOption(part: TemplatePart): TemplatePart {
  if (typeof part === 'string') return part;
  const renamed: unknown = JSON.parse(JSON.stringify(part).replaceAll('["options","version"]', '["options","server"]'));
  // A copy with one changed name, so it keeps its type.
  return renamed as TemplatePart;
}

function renameFiles(files: readonly TemplateFile[]): TemplateFile[] {
  const { renamed, renamedStart, renamedSeed } = changed;
  return files.map((file) => [renamed, renamedStart, renamedSeed].reduce(renameFile, file));
}

/** What a module adds to a resource; its imports follow the renamed file. */
function withResource({ resource }: CatalogueModule): Pick<CatalogueModule, 'resource'> {
  if (resource === undefined) return {};
  const text = JSON.stringify(resource).replaceAll(
    '../platform/http/problems.ts',
    '../platform/http/description/problems.ts',
  );
  const followed: unknown = JSON.parse(text);
  // A copy with one changed path, so it keeps its type.
  return { resource: followed as NonNullable<typeof resource> };
}

/** Moves a file and updates its own imports and those of all other files. */
function renameFile(file: TemplateFile, { from, to }: { readonly from: string; readonly to: string }): TemplateFile {
  const path = file.path === from ? to : file.path;
  if (!('text' in file) || !path.endsWith('.ts')) return { ...file, path };
  const text = file.text.replaceAll(/(?<=from ')\.[^']+(?=')/g, (specifier) => {
    const target = posix.join(posix.dirname(file.path), specifier);
    const relative = posix.relative(posix.dirname(path), target === from ? to : target);
    return relative.startsWith('.') ? relative : `./${relative}`;
  });
  return { ...file, path, text };
}

function editFile(
  file: TemplateFile,
  edits: Readonly<Record<string, readonly [from: string, to: string]>>,
): TemplateFile {
  const [from, to] = edits[file.path] ?? [];
  if (from === undefined || to === undefined) return file;
  if (!('text' in file) || !file.text.includes(from)) throw new Error(`${file.path} does not hold "${from}" any more`);
  return { ...file, text: file.text.replace(from, to) };
}

function appendText(file: TemplateFile, more: string): TemplateFile {
  const template: Template = 'text' in file ? [file.text, more] : [...file.template, more];
  return { path: file.path, ownership: file.ownership, template };
}

function nextMinor(version: string): string {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return `${major}.${minor + 1}.0`;
}

function withFastify(
  { npm, pnpm, yarn }: NonNullable<Catalogue['lockfiles']>,
  version: string,
): NonNullable<Catalogue['lockfiles']> {
  const place = 'node_modules/fastify';
  const pinned = /^ {6}fastify:\n {8}specifier: .*\n {8}version: (.*)\n/m.exec(pnpm);
  const [lines = '', present = ''] = pinned ?? [];
  return {
    npm: { ...npm, [place]: { ...npm[place], version } },
    pnpm: pnpm
      .replace(lines, `      fastify:\n        specifier: ^${version}\n        version: ${version}\n`)
      .replaceAll(`  fastify@${present}:`, `  fastify@${version}:`),
    yarn: yarn
      .replace(/^"fastify@npm:[^"]*":\n {2}version: .*$/m, `"fastify@npm:^${version}":\n  version: ${version}`)
      .replace(`"fastify@npm:${present}"`, `"fastify@npm:${version}"`),
  };
}
