import { badInput } from '../errors.ts';
import { sorted } from '../json.ts';
import type { Field, FieldType, Manifest, Resource, ResourceChange } from '../model.ts';
import { didYouMean } from '../suggest.ts';
import { resourceFaults } from './check.ts';
import { parseField, printField } from './fields.ts';
import { historyOf } from './history.ts';
import { namesOf, resourceNameFault } from './names.ts';
import { isPlural, pluralOf, singularOf } from './plural.ts';
import { parseStates, printStates } from './states.ts';

type Resources = NonNullable<Manifest['resources']>;

/** What a user asks of one resource. */
export interface ResourceRequest {
  /** In any style. */
  readonly name: string;
  readonly plural?: string | undefined;
  /** New fields, and fields whose text changes. */
  readonly fields: readonly Field[];
  /** Name of an enum field → its transitions; a verb may be absent. */
  readonly states?: Readonly<Record<string, string>>;
  /** Names of fields to remove. */
  readonly drop?: readonly string[];
  /** Former name of a field → name. */
  readonly rename?: Readonly<Record<string, string>>;
  /** Whether a caller of the list may ask for some fields only; absent, it stays as it is. */
  readonly sparse?: boolean | undefined;
}

/** The manifest with the change, and what callers of the service notice. */
export interface Edited {
  readonly manifest: Manifest;
  readonly notes: readonly string[];
}

/**
 * Creates a resource, or changes the one of that name.
 * @param manifest the current manifest
 * @param request what to create or change
 * @param today date of the first migration, as `20261130`, in UTC
 * @returns the manifest with the resource
 * @throws SlipwayError (exit code 2) when the resource cannot be as asked
 */
export function putResource(manifest: Manifest, request: ResourceRequest, today: string): Edited {
  return putResources(manifest, [request], today);
}

/**
 * Creates or changes several resources, which may refer to each other.
 * @param manifest the current manifest
 * @param requests what to create or change, in the order of the migrations
 * @param today date of the first migration, as `20261130`, in UTC
 * @returns the manifest with the resources
 * @throws SlipwayError (exit code 2) when the resources cannot be as asked
 */
export function putResources(manifest: Manifest, requests: readonly ResourceRequest[], today: string): Edited {
  const edited = requests.reduce<Edited>(
    (now, request) => {
      const next = put(now.manifest, request, today);
      return { manifest: next.manifest, notes: [...now.notes, ...next.notes] };
    },
    { manifest, notes: [] },
  );
  const [only, second] = requests;
  checked(edited.manifest, second === undefined && only !== undefined ? namesOf(only.name).kebab : undefined);
  return edited;
}

function put(manifest: Manifest, request: ResourceRequest, today: string): Edited {
  const name = nameOf(request.name, manifest);
  const present = own(manifest.resources, name);
  return present === undefined
    ? { manifest: createResource(manifest, name, request, today), notes: [] }
    : changeResource(manifest, name, present, request, today);
}

/**
 * Removes a resource. Its tables stay in the database.
 * @param manifest the current manifest
 * @param typed name of the resource, in any style
 * @returns the manifest without it
 * @throws SlipwayError (exit code 2) when it is not there, or when another resource refers to it
 */
export function removeResource(manifest: Manifest, typed: string): Manifest {
  const { name } = found(manifest, typed);
  const { [name]: _removed, ...others } = manifest.resources ?? {};
  const user = Object.entries(others).flatMap(([other, { fields }]) =>
    Object.entries(fields).flatMap(([field, text]) =>
      parseField(field, text).target === name ? [`${other}.${field}`] : [],
    ),
  );
  if (user.length > 0)
    throw badInput(`resource "${name}" is referred to by ${user.join(', ')}`, 'remove these fields first, with --drop');
  return withResources(manifest, others);
}

/**
 * Gives a resource another name. Refs to it follow.
 * @param manifest the current manifest
 * @param typed name of the resource, in any style
 * @param to its new name, in any style
 * @param plural its new plural; absent, it is derived
 * @param today date of the migration that renames the table
 * @returns the manifest with the new name
 * @throws SlipwayError (exit code 2) when the resource is not there, or when the new name cannot be used
 */
export function renameResource(
  manifest: Manifest,
  typed: string,
  to: string,
  plural: string | undefined,
  today: string,
): Edited {
  const { name, resource } = found(manifest, typed);
  const next = nameOf(to, manifest);
  if (next === name) throw badInput(`resource "${name}" has this name already`);
  if (own(manifest.resources, next) !== undefined) throw badInput(`there is a resource "${next}" already`);
  const newPlural = chosenPlural(next, plural);
  const change = { name, ...(newPlural === resource.plural ? {} : { plural: resource.plural }) };
  const renamed = withChange(manifest, name, { ...resource, plural: newPlural }, change, snake(newPlural), today);
  const all = Object.entries(manifest.resources ?? {}).map(([other, one]) => {
    const [key, value] = other === name ? [next, renamed] : [other, one];
    return [key, retargeted(value, name, next)] as const;
  });
  return {
    manifest: checked(withResources(manifest, Object.fromEntries(all)), next),
    notes: [`callers notice: the path is now /${newPlural}, not /${resource.plural}`],
  };
}

function createResource(manifest: Manifest, name: string, request: ResourceRequest, today: string): Manifest {
  const { fields, states = {}, drop = [], rename = {} } = request;
  const missing = [...drop, ...Object.keys(rename)][0];
  if (missing !== undefined)
    throw badInput(`there is no resource "${name}" with a field "${missing}"`, known(manifest, name));
  if (fields.length === 0)
    throw badInput(`resource "${name}" needs fields`, `for example: slipway resource ${name} name:string quantity:int`);
  const twice = fields.find((field, index) => fields.findIndex((other) => other.name === field.name) !== index);
  if (twice !== undefined) throw badInput(`the field "${twice.name}" is there twice`);
  const resource: Resource = {
    plural: chosenPlural(name, request.plural),
    fields: Object.fromEntries(fields.map((field) => [field.name, printField(field)])),
    ...statesOf(states, fields),
    ...(request.sparse === true && { sparse: true }),
    created: nextDate(manifest, today),
  };
  return withResources(manifest, { ...manifest.resources, [name]: resource });
}

function changeResource(
  manifest: Manifest,
  name: string,
  resource: Resource,
  { fields: given, states, drop = [], rename = {}, ...request }: ResourceRequest,
  today: string,
): Edited {
  const absent = [...drop, ...Object.keys(rename)].find((field) => !Object.hasOwn(resource.fields, field));
  if (absent !== undefined)
    throw badInput(`resource "${name}" has no field "${absent}"`, didYouMean(absent, Object.keys(resource.fields)));
  const taken = Object.values(rename).find((to) => Object.hasOwn(resource.fields, to));
  if (taken !== undefined) throw badInput(`resource "${name}" has a field "${taken}" already`);
  const kept = Object.entries(resource.fields)
    .filter(([field]) => !drop.includes(field))
    .map(([field, text]) => [own(rename, field) ?? field, text] as const);
  const fields = new Map(kept);
  const add: string[] = [];
  const alter: Record<string, string> = {};
  const notes = [
    ...drop.map((field) => `callers notice: "${field}" is no longer there`),
    ...Object.entries(rename).map(([from, to]) => `callers notice: "${from}" is now "${to}"`),
  ];
  for (const field of given) {
    const [before, text] = [fields.get(field.name), printField(field)];
    fields.set(field.name, text);
    if (before === undefined) {
      refuseEmpty(field);
      add.push(field.name);
    } else if (before !== text) {
      notes.push(...differences(parseField(field.name, before), field));
      alter[field.name] = before;
    }
  }
  const plural = request.plural === undefined ? resource.plural : chosenPlural(name, request.plural);
  if (plural !== resource.plural) notes.push(`callers notice: the path is now /${plural}, not /${resource.plural}`);
  const { sparse: wasSparse = false } = resource;
  const { sparse = wasSparse } = request;
  if (sparse !== wasSparse) notes.push(sparseNote(sparse, plural));
  const change: ResourceChange = {
    ...(add.length === 0 ? {} : { add }),
    ...(drop.length === 0
      ? {}
      : { drop: Object.fromEntries(drop.map((field) => [field, resource.fields[field] ?? ''])) }),
    ...(Object.keys(rename).length === 0 ? {} : { rename }),
    ...(Object.keys(alter).length === 0 ? {} : { alter }),
    ...(plural === resource.plural ? {} : { plural: resource.plural }),
  };
  const parsed = [...fields].map(([field, text]) => parseField(field, text));
  const following = Object.entries(resource.states ?? {})
    .filter(([field]) => !drop.includes(field))
    .map(([field, text]) => [own(rename, field) ?? field, text] as const);
  const next: Resource = {
    plural,
    fields: Object.fromEntries(fields),
    ...statesOf({ ...Object.fromEntries(following), ...states }, parsed),
    ...(sparse && { sparse }),
    created: resource.created,
    ...(resource.changes === undefined ? {} : { changes: resource.changes }),
  };
  const what = labelOf(change, plural);
  const changed = Object.keys(change).length === 0 ? next : withChange(manifest, name, next, change, what, today);
  return { manifest: withResources(manifest, { ...manifest.resources, [name]: changed }), notes };
}

function sparseNote(sparse: boolean, plural: string): string {
  return sparse
    ? `callers notice: in the contract, entries of GET /${plural} have no required field but "id"`
    : `callers notice: GET /${plural} ignores "fields"; its entries have all fields`;
}

/** Rows that are there have no value for a new field. */
function refuseEmpty(field: Field): void {
  if (field.optional || field.default !== undefined) return;
  const isState = field.type === 'enum' ? `default(${field.values?.[0] ?? ''})` : 'default(...)';
  const hint =
    field.unique || field.type === 'ref'
      ? `make it optional: ${field.name}:${printField({ ...field, optional: true })}`
      : `give it a ${field.list ? 'default([])' : isState}, or make it optional: ${field.name}:${printField({ ...field, optional: true })}`;
  throw badInput(`the field "${field.name}" is new and required, and there may be entities without it`, hint);
}

/** Types whose values are also values of other types. */
const wider: Readonly<Partial<Record<FieldType, readonly FieldType[]>>> = {
  string: ['text'],
  email: ['string', 'text'],
  url: ['string', 'text'],
  int: ['bigint', 'decimal'],
  bigint: ['decimal'],
  enum: ['string', 'text'],
};

/** Returns what callers notice. Refuses what no migration can do with the values that are there. */
function differences(before: Field, after: Field): string[] {
  const { name } = after;
  if (before.list !== after.list || (before.type !== after.type && !wider[before.type]?.includes(after.type)))
    throw badInput(
      `the field "${name}" cannot become ${printField(after)}: its values are ${printField(before)}`,
      'add a field of another name, copy the values, then remove the former field with --drop',
    );
  if (before.target !== after.target)
    throw badInput(`the field "${name}" cannot refer to another resource`, 'add a field of another name');
  if (before.optional && !after.optional && after.default === undefined)
    throw badInput(
      `the field "${name}" becomes required, and there may be entities without it`,
      `give it a ${after.list ? 'default([])' : 'default(...)'}, or leave it optional`,
    );
  const gone = (before.values ?? []).filter((value) => after.values?.includes(value) === false);
  return [
    ...(before.type === after.type ? [] : [`callers notice: "${name}" is now ${after.type}, not ${before.type}`]),
    ...(before.optional && !after.optional ? [`callers notice: "${name}" is now in every reply`] : []),
    ...(!before.optional && after.optional ? [`callers notice: "${name}" may be absent`] : []),
    ...(!before.private && after.private ? [`callers notice: "${name}" is no longer in replies`] : []),
    ...(!before.immutable && after.immutable ? [`callers notice: "${name}" can no longer be changed`] : []),
    ...gone.map(
      (value) =>
        `callers notice: "${value}" is no longer a value of "${name}"; rows that have it keep it until they change`,
    ),
  ];
}

/** Says what a migration does, for its name. */
function labelOf({ add = [], drop = {}, rename = {}, alter = {}, plural }: ResourceChange, now: string): string {
  const parts = [
    ...add.map(snake),
    ...Object.keys(drop).map((field) => `without_${snake(field)}`),
    ...Object.values(rename).map(snake),
    ...Object.keys(alter).map(snake),
    ...(plural === undefined ? [] : [snake(now)]),
  ];
  const label = parts.join('_');
  return label.length > 50 ? `${parts.length}_changes` : label;
}

function snake(name: string): string {
  return namesOf(name).snake;
}

function withChange(
  manifest: Manifest,
  name: string,
  resource: Resource,
  change: ResourceChange,
  what: string,
  today: string,
): Resource {
  const former = own(manifest.resources, name)?.plural ?? resource.plural;
  const key = `${nextDate(manifest, today)}_${snake(former)}_${what}`;
  return { ...resource, changes: { ...resource.changes, [key]: change } };
}

/** The date of the next migration. It sorts after all that are there, also on the same day, and when a clock is slow. */
function nextDate({ resources = {} }: Manifest, today: string): string {
  const dates = Object.entries(resources).flatMap(([name, resource]) => {
    const history = historyOf(name, resource);
    return 'fault' in history ? [] : history.revisions.map((revision) => revision.name.split('_')[0] ?? '');
  });
  const last = dates.reduce((latest, date) => (date > latest ? date : latest), '');
  if (last < today) return today;
  const end = /[b-y]$/.exec(last)?.[0];
  return end === undefined ? `${last}b` : last.slice(0, -1) + String.fromCharCode(end.charCodeAt(0) + 1);
}

function statesOf(states: Readonly<Record<string, string>>, fields: readonly Field[]): Pick<Resource, 'states'> {
  const texts = Object.entries(states).map(([name, text]) => {
    const field = fields.find((one) => one.name === name);
    const enums = fields.filter(({ type }) => type === 'enum').map((one) => one.name);
    if (field === undefined) throw badInput(`there is no field "${name}" for the states`, didYouMean(name, enums));
    return [name, printStates(parseStates(field, text))] as const;
  });
  return texts.length === 0 ? {} : { states: Object.fromEntries(texts) };
}

/** Returns the name in kebab-case. The plural of a name is no name of another resource. */
function nameOf(typed: string, { resources = {} }: Manifest): string {
  const { kebab } = namesOf(typed);
  const fault = resourceNameFault(kebab);
  if (fault !== undefined) throw badInput(`"${typed.slice(0, 60)}" cannot be the name of a resource: ${fault}`);
  if (Object.hasOwn(resources, kebab)) return kebab;
  const owner = Object.entries(resources).find(([, { plural }]) => plural === kebab)?.[0];
  if (owner !== undefined) throw badInput(`"${kebab}" is the plural of the resource "${owner}"`, `name it: ${owner}`);
  if (isPlural(kebab))
    throw badInput(`"${kebab}" is a plural`, `name the resource in the singular: ${singularOf(kebab)}`);
  return kebab;
}

function chosenPlural(name: string, given: string | undefined): string {
  const plural = given === undefined ? pluralOf(name) : namesOf(given).kebab;
  if (plural !== name) return plural;
  throw badInput(`the plural of "${name}" would be "${name}" itself`, `choose another: --plural ${name}-list`);
}

function found(manifest: Manifest, typed: string): { name: string; resource: Resource } {
  const name = namesOf(typed).kebab;
  const resource = own(manifest.resources, name);
  if (resource === undefined) throw badInput(`there is no resource "${name.slice(0, 60)}"`, known(manifest, name));
  return { name, resource };
}

function known({ resources = {} }: Manifest, name: string): string {
  return didYouMean(name, Object.keys(resources));
}

function own<Value>(record: Readonly<Record<string, Value>> | undefined, key: string): Value | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

/** Refs to a resource follow its new name, those of former fields too. */
function retargeted(resource: Resource, from: string, to: string): Resource {
  const text = (name: string, before: string): string => {
    const field = parseField(name, before);
    return field.target === from ? printField({ ...field, target: to }) : before;
  };
  const all = (texts: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(Object.entries(texts).map(([name, before]) => [name, text(name, before)]));
  const changes = Object.entries(resource.changes ?? {}).map(([key, change]): [string, ResourceChange] => [
    key,
    { ...change, ...(change.drop && { drop: all(change.drop) }), ...(change.alter && { alter: all(change.alter) }) },
  ]);
  return {
    ...resource,
    fields: all(resource.fields),
    ...(resource.changes === undefined ? {} : { changes: Object.fromEntries(changes) }),
  };
}

/**
 * @param manifest any manifest
 * @param resources all resources that it shall have
 * @returns the manifest with these, after the modules, in the order of their names
 */
export function withResources(manifest: Manifest, resources: Resources): Manifest {
  const { resources: _former, platformTests, ejected, conflicts, ...before } = manifest;
  return {
    ...before,
    ...(Object.keys(resources).length === 0 ? {} : { resources: sorted(resources) }),
    ...(platformTests === undefined ? {} : { platformTests }),
    ...(ejected === undefined ? {} : { ejected }),
    ...(conflicts === undefined ? {} : { conflicts }),
  };
}

/** Checks all resources. The error is about the one of the name; without a name about all. */
function checked(manifest: Manifest, name?: string): Manifest {
  const faults = resourceFaults(manifest.resources ?? {});
  if (faults.length === 0) return manifest;
  const lines = faults
    .slice(0, 12)
    .map((fault) => (name === undefined ? fault : fault.replace(`/resources/${name}`, '')));
  const what = name === undefined ? 'the resources' : `resource "${name}"`;
  throw badInput(`${what} cannot be as asked:\n  ${lines.join('\n  ')}`, undefined, { faults });
}
