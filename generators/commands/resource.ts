import path from 'node:path';
import { changing, defineCommand } from '../command.ts';
import { badInput } from '../engine/errors.ts';
import type { Manifest } from '../engine/model.ts';
import { validateManifest } from '../engine/parseManifest.ts';
import {
  type Edited,
  putResource,
  putResources,
  removeResource,
  renameResource,
  type ResourceRequest,
} from '../engine/resources/edit.ts';
import { parseFieldArgument } from '../engine/resources/fields.ts';
import { fieldNameOf } from '../engine/resources/names.ts';
import { foundResources, sources } from '../foundResources.ts';
import { type Invocation, textOf } from '../invocation.ts';
import { planning } from '../planning.ts';
import { manifestOf, presentService } from '../present.ts';
import { readResources } from '../resourceFile.ts';

export const command = defineCommand({
  usage: '<name> [field:type...]',
  summary: 'create or change a resource: a domain slice with storage, routes and tests',
  flags: {
    ...changing,
    states: {
      type: 'string',
      value: 'field',
      summary: 'the enum field of these transitions: "created>paid, paid>shipped"',
    },
    plural: { type: 'string', value: 'name', summary: 'the plural, when the derived one is wrong' },
    sparse: { type: 'boolean', summary: 'let callers of the list ask for some fields only: ?fields=sku,quantity' },
    'no-sparse': { type: 'boolean', summary: 'give all fields in the list again' },
    drop: { type: 'string', value: 'a,b', summary: 'remove these fields, and their columns' },
    'rename-field': { type: 'string', value: 'old:new,...', summary: 'give fields other names' },
    rename: { type: 'string', value: 'name', summary: 'give the resource another name' },
    remove: { type: 'boolean', summary: 'remove the resource; its tables stay in the database' },
    file: { type: 'string', value: 'file', summary: 'take resources from a JSON file, as slipway.json has them' },
    'from-sql': {
      type: 'string',
      value: 'file',
      summary: 'find resources in SQL of PostgreSQL (pg_dump --schema-only)',
    },
    'from-database': {
      type: 'string',
      value: 'url',
      bare: '',
      summary: 'find resources in a live PostgreSQL; the default is DATABASE_URL',
    },
    'from-openapi': { type: 'string', value: 'file', summary: 'find resources in OpenAPI 3 or Swagger 2.0' },
    'from-proto': { type: 'string', value: 'file', summary: 'find resources in a file of Protocol Buffers' },
    only: { type: 'string', value: 'a,b', summary: 'take only these of the resources found; --yes takes all' },
  },
  ask: async (invocation) => {
    const present = presentService(invocation);
    const { root, catalogue } = present;
    const manifest = manifestOf(present.raw, catalogue);
    const edit = await editOf(invocation, manifest);
    const { notes } = edit(manifest);
    return {
      root,
      packageManager: manifest.packageManager,
      notes,
      prepare: planning(root, catalogue, invocation, (raw) =>
        validateManifest(edit(manifestOf(raw, catalogue)).manifest, catalogue),
      ),
    };
  },
});

/** Returns the change of the manifest that the arguments and flags ask for. */
async function editOf(invocation: Invocation, manifest: Manifest): Promise<(now: Manifest) => Edited> {
  const { own, cwd, interactive } = invocation;
  const today = new Date().toISOString().slice(0, 10).replaceAll('-', '');
  const file = textOf(invocation, 'file');
  const [name, ...rest] = invocation.args;
  if (file !== undefined) {
    refuseOthers(invocation, 'file', rest.length > 0 || name !== undefined);
    const requests = readResources(path.resolve(cwd, file));
    return (now) => putResources(now, requests, today);
  }
  const source = sources.find((flag) => own[flag] !== undefined);
  if (source !== undefined) {
    refuseOthers(invocation, source, rest.length > 0 || name !== undefined, ['only']);
    const { requests, notes } = await foundResources(invocation, source, Object.keys(manifest.resources ?? {}));
    return (now) => {
      const edited = putResources(now, requests, today);
      return { ...edited, notes: [...edited.notes, ...notes] };
    };
  }
  if (own['only'] !== undefined)
    throw badInput('--only is for resources that are found', `with ${sources.map((flag) => `--${flag}`).join(', ')}`);
  const typed = name ?? (interactive ? await askedName(manifest) : undefined);
  if (typed === undefined)
    throw badInput(
      'slipway resource needs a name',
      'for example: slipway resource order sku:string:unique quantity:int',
    );
  const to = textOf(invocation, 'rename');
  if (own['remove'] === true) {
    refuseOthers(invocation, 'remove', rest.length > 0);
    return (now) => ({ manifest: removeResource(now, typed), notes: [] });
  }
  if (to !== undefined) {
    refuseOthers(invocation, 'rename', rest.length > 0, ['plural']);
    return (now) => renameResource(now, typed, to, textOf(invocation, 'plural'), today);
  }
  const request = requestOf(invocation, typed, rest);
  const isAsked = interactive && rest.length === 0 && !hasFlags(invocation);
  const asked = isAsked ? { ...request, fields: await askedFields() } : request;
  return (now) => putResource(now, asked, today);
}

const ownFlags = [
  'states',
  'plural',
  'sparse',
  'no-sparse',
  'drop',
  'rename-field',
  'rename',
  'remove',
  'file',
  'only',
  ...sources,
] as const;

function hasFlags({ own }: Invocation): boolean {
  return ownFlags.some((flag) => own[flag] !== undefined);
}

/** Some flags are the whole request. */
function refuseOthers({ own }: Invocation, flag: string, hasMore: boolean, allowed: readonly string[] = []): void {
  const other = ownFlags.find((one) => one !== flag && own[one] !== undefined && !allowed.includes(one));
  if (other !== undefined)
    throw badInput(`--${flag} and --${other} cannot be together`, 'run them one after the other');
  if (hasMore) throw badInput(`--${flag} takes no fields beside it`, 'run them one after the other');
}

function requestOf(invocation: Invocation, name: string, args: readonly string[]): ResourceRequest {
  const { sparse, 'no-sparse': noSparse } = invocation.own;
  if (sparse !== undefined && noSparse !== undefined) throw badInput('--sparse and --no-sparse cannot be together');
  const [transitions, fields] = [args.filter(isTransitions), args.filter((each) => !isTransitions(each))];
  return {
    name,
    plural: textOf(invocation, 'plural'),
    fields: fields.map(parseFieldArgument),
    states: statesOf(textOf(invocation, 'states'), transitions),
    sparse: noSparse === true ? false : sparse === true || undefined,
    drop: listed(textOf(invocation, 'drop')).map(fieldNameOf),
    rename: Object.fromEntries(listed(textOf(invocation, 'rename-field')).map(renameOf)),
  };
}

/** `created>paid, paid>shipped`; a field begins with its name and a colon. */
function isTransitions(argument: string): boolean {
  return /^\s*[a-z][\w-]*\s*>/i.test(argument);
}

/** `--states status "created>paid"`, or `--states "status created>paid"`. */
function statesOf(flag: string | undefined, texts: readonly string[]): Record<string, string> {
  const [, field = '', inside = ''] = /^\s*([\w-]+)\s*(.*)$/s.exec(flag ?? '') ?? [];
  const all = [inside, ...texts].filter((text) => text.trim() !== '');
  if (flag === undefined && all.length === 0) return {};
  if (field === '' || all.length === 0)
    throw badInput(
      '--states needs a field and its transitions',
      'for example: --states status "created>paid, paid>shipped"',
    );
  return { [fieldNameOf(field)]: all.join(', ') };
}

function renameOf(pair: string): [string, string] {
  const [, from = '', to = ''] = /^([^:]+):([^:]+)$/.exec(pair) ?? [];
  if (from === '') throw badInput(`--rename-field takes old:new; given: ${pair}`);
  return [fieldNameOf(from), fieldNameOf(to)];
}

function listed(text = ''): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

async function askedName(manifest: Manifest): Promise<string> {
  const { askResource } = await import('../prompts/resource.ts');
  return askResource(Object.keys(manifest.resources ?? {}));
}

async function askedFields(): Promise<ResourceRequest['fields']> {
  const { askFields } = await import('../prompts/resource.ts');
  return askFields();
}
