import { fieldTypes, type Field, type Manifest, type Resource } from '../model.ts';
import { examplesOf } from './examples.ts';
import { asObject, listRulesOf, rulesOf, schemaOf } from './schema.ts';
import { boundsOf, isFilter, hasLength, parseField } from './fields.ts';
import { historyOf, type Revision } from './history.ts';
import { capital, type Names, namesOf } from './names.ts';
import { parseStates, type Transition } from './states.ts';
import { fieldsTable, type Page, routesTable } from './page.ts';
import { protoOf } from './proto.ts';
import { changeSteps, constraintName, creationOf } from './tables.ts';

type Resources = NonNullable<Manifest['resources']>;

/** The names of a resource, and of several of them. */
export interface ResourceNames extends Names {
  /** As the manifest has it: in kebab-case. */
  readonly name: string;
  readonly plural: Names;
}

/** The values that the templates of a resource use besides those of every template. */
export interface ResourceContext {
  readonly resource: ReturnType<typeof resourceOf>;
}

/** The values that the templates of one migration use in addition. */
export interface ChangeContext {
  readonly change: ReturnType<typeof changeOf>;
}

/**
 * @param name of a resource, in kebab-case
 * @param plural in kebab-case
 * @returns its names
 */
export function resourceNames(name: string, plural: string): ResourceNames {
  return { name, ...namesOf(name), plural: namesOf(plural) };
}

/**
 * @param name of a resource of the manifest
 * @param resources all of the manifest, which is valid
 * @returns what templates say about it: `resource`, and `change` for each of its migrations, oldest first
 */
export function contextsOf(
  name: string,
  resources: Resources,
): ResourceContext & { changes: readonly ChangeContext[] } {
  const resource = at(resources, name);
  const revisions = revisionsOf(name, resource);
  const changes = revisions.map((revision, index) => ({
    change: changeOf(name, revision, revisions[index - 1], resources),
  }));
  return { resource: resourceOf(name, resource, resources), changes };
}

/**
 * @param name of a resource of the manifest
 * @param resources all of the manifest, which is valid
 * @returns the names that the resource had before, oldest first
 */
export function formerNames(name: string, resources: Resources): ResourceNames[] {
  const former = revisionsOf(name, at(resources, name)).map(({ resource, plural }) => resourceNames(resource, plural));
  const { plural } = at(resources, name);
  return former.filter((names) => names.name !== name || names.plural.kebab !== plural);
}

function at(resources: Resources, name: string): Resource {
  const found = Object.hasOwn(resources, name) ? resources[name] : undefined;
  if (found === undefined) throw new Error(`there is no resource ${name}`);
  return found;
}

const histories = new WeakMap<Resource, { readonly name: string; readonly revisions: readonly Revision[] }>();

/** The migrations of a resource. Those of all resources are looked up for each of them. */
function revisionsOf(name: string, resource: Resource): readonly Revision[] {
  const known = histories.get(resource);
  if (known?.name === name) return known.revisions;
  const history = historyOf(name, resource);
  if ('fault' in history) throw new Error(`${history.change}: ${history.fault}`);
  histories.set(resource, { name, revisions: history.revisions });
  return history.revisions;
}

function resourceOf(name: string, resource: Resource, resources: Resources) {
  const [stated] = Object.entries(resource.states ?? {});
  const target = (other: string): ResourceNames => resourceNames(other, at(resources, other).plural);
  const fields = Object.entries(resource.fields).map(([field, text]) =>
    fieldOf(parseField(field, text), target, field === stated?.[0], name),
  );
  const states =
    stated === undefined ? false : statesOf(parseField(stated[0], resource.fields[stated[0]] ?? ''), stated[1]);
  const visible = fields.filter((field) => !field.private);
  const writable = fields.filter((field) => !field.state);
  const changeable = writable.filter((field) => !field.immutable);
  const filters = fields.filter((field) => field.filter);
  const sortable = filters.filter(
    ({ type, optional }) => !optional && type !== 'enum' && type !== 'ref' && type !== 'boolean' && type !== 'uuid',
  );
  const required = writable.filter(({ optional, hasDefault }) => !optional && !hasDefault);
  const limited = fields.filter(
    ({ type, numeric, timed, limits }) =>
      type === 'datetime' || type === 'json' || ((numeric || timed) && Object.keys(limits).length > 0),
  );
  const canonical = fields.filter(({ canonicalBy }) => canonicalBy !== null);
  const names = resourceNames(name, resource.plural);
  const shown = writable.filter(({ self }) => !self);
  const defaults = Object.fromEntries(
    fields.filter((field) => field.hasDefault).map((field) => [field.name, field.default]),
  );
  const example = Object.fromEntries(shown.map((field) => [field.name, field.example]));
  const refs = fields.filter((field) => field.type === 'ref');
  const transitions = states === false ? [] : states.transitions;
  const actions = new Set(['change', 'delete', ...transitions.map(({ kebab }) => kebab)]);
  const linked = refs.filter((field) => !field.list && !field.private && !actions.has(field.kebab));
  const targets = linked.flatMap(({ self, target: to }) => (self || to === null ? [] : [[to.name, to] as const]));
  const unique = fields.filter((field) => field.unique);
  const page: Page = {
    ...{ path: `/${names.plural.kebab}`, one: `${names.article} ${names.words}`, many: names.plural.words },
    fields: fields.map(({ name: field, target: other, state }) => ({
      field: parseField(field, resource.fields[field] ?? ''),
      target: other === null ? undefined : `/${other.plural.kebab}`,
      state,
    })),
    ...{ filters: namesIn(filters), sortable: ['createdAt', ...namesIn(sortable)] },
    isChangeable: changeable.length > 0,
    ...{ transitions, sparse: resource.sparse === true },
  };
  let proto: ReturnType<typeof protoOf> | undefined;
  return {
    ...names,
    Article: capital(names.article),
    Plural: capital(names.plural.words),
    /** The schema of the replies. */
    view: visible.length === fields.length ? names.pascal : `${names.pascal}View`,
    fields,
    writable,
    required,
    changeable,
    visible,
    filters,
    sortable,
    /** Fields whose limits JSON Schema cannot check. */
    limited,
    /** Fields whose values are stored in one form only. */
    canonical,
    /** Its contract for gRPC. Most services do not need it. */
    get proto() {
      return (proto ??= protoOf({
        ...{ names, revisions: revisionsOf(name, resource), state: stated?.[0] },
        ...{ fields: page.fields.map(({ field }) => field), filters: new Set(namesIn(filters)) },
        ...{ isChangeable: page.isChangeable, transitions: page.transitions },
      }));
    },
    /** Tables of its page, in Markdown. */
    tables: { fields: fieldsTable(page), routes: routesTable(page) },
    /** Names and values as the code lists them. */
    lists: {
      changeable: namesIn(changeable),
      defaults,
      hidden: namesIn(fields.filter((field) => field.private)),
      numeric: namesIn(fields.filter((field) => field.numeric && !field.list)),
      times: namesIn(fields.filter((field) => field.timed && !field.list)),
      refs: Object.fromEntries(
        refs.filter((field) => !field.list).map((field) => [field.name, field.target?.plural.snake ?? '']),
      ),
      sortable: page.sortable,
      unique: namesIn(unique),
      filters: namesIn(filters),
      optional: namesIn(fields.filter((field) => field.optional)),
    },
    /** Fields of the examples. */
    shown,
    /** Fields for which another entity of a test has another value. */
    others: fields.filter(({ unique: isUnique, filter, self }) => (isUnique || filter) && !self),
    example,
    entity: {
      // In the order of the code: it begins with the defaults.
      ...{ id: exampleId, version: 1, ...defaults, ...example },
      ...(states && { [states.field.name]: states.initial }),
      ...{ createdAt: exampleTime, updatedAt: exampleTime },
    },
    unique,
    refs,
    /** Refs whose entity a reply can link to. No action of the resource has their name. */
    linked,
    /** The other resources that they refer to. */
    targets: [...new Map(targets).values()],
    /** Columns that a client of a database would round, and all others. */
    big: fields.filter(({ type }) => type === 'bigint'),
    small: [
      'id',
      'version',
      ...fields.flatMap(({ type, snake }) => (type === 'bigint' ? [] : snake)),
      'created_at',
      'updated_at',
    ],
    hasOne: typesIn(fields.filter(({ list }) => !list)),
    hasMany: typesIn(fields.filter(({ list }) => list)),
    /** What a database says when it refuses a value: name of the constraint → name of the field. */
    constraints: {
      unique: Object.fromEntries(
        unique.map((field) => [constraintName(names.plural.snake, field.snake, 'key'), field.name]),
      ),
      references: Object.fromEntries(
        refs
          .filter((field) => !field.list)
          .map((field) => [constraintName(names.plural.snake, field.snake, 'fkey'), field.name]),
      ),
    },
    states,
    /** Whether a caller of the list may ask for some fields only. */
    sparse: page.sparse,
    /** A name that no field of a reply has. */
    absent: fields.find((field) => field.private)?.name ?? 'no-field',
    has: {
      ...typesIn(fields),
      private: visible.length < fields.length,
      default: Object.keys(defaults).length > 0,
      limits: limited.length > 0,
      numberLimits: limited.some(({ numeric }) => numeric),
      timeLimits: limited.some(({ timed }) => timed),
    },
  };
}

/** What the templates of the slice show. */
const exampleId = '5f0c3b1e-8f0e-4a66-9b8e-3c1d2e4f5a6b';
const exampleTime = '2026-01-02T03:04:05.000Z';

function namesIn(fields: readonly { readonly name: string }[]): string[] {
  return fields.map(({ name }) => name);
}

/** Whether there are fields of each type. */
function typesIn(fields: readonly Pick<Field, 'type'>[]) {
  return Object.fromEntries(fieldTypes.map((type) => [type, fields.some((field) => field.type === type)]));
}

/** The function of `pkg/resource` that gives a value its only form. */
const canonicalBy: Readonly<Partial<Record<Field['type'], string>>> = { decimal: 'decimal', datetime: 'instant' };

/** Values that a field does not have are null, so that a template may ask for them. */
function fieldOf<Target extends ResourceNames>(
  field: Field,
  target: (name: string) => Target,
  state = false,
  resource = '',
) {
  const { name, type, list, optional, unique, indexed, immutable } = field;
  const { min: _min, max: _max, default: _default, ...rest } = field;
  const item = { ...rest, list: false };
  const limits = limitsOfText(list ? item : field);
  const examples = examplesOf(field);
  const styles = namesOf(name);
  const rules = list ? rulesOf(item) : [...rulesOf(field), ...defaultOf(field)];
  return {
    ...styles,
    name,
    type,
    list,
    row: list ? 'rowList' : 'row',
    reader: list ? 'readList' : 'read',
    optional,
    unique,
    indexed,
    immutable,
    private: field.private,
    filter: isFilter(field),
    hasDefault: field.default !== undefined,
    default: field.default ?? null,
    ...limitsOf(field),
    /** The least and the greatest value of a number or time that is a text, or of each in a list. */
    limits,
    hasLimits: Object.keys(limits).length > 0,
    /** What JSON Schema says of a value, or of an item of a list. */
    rules,
    ruleSet: asObject(rules),
    listRuleSet: list ? asObject([...listRulesOf(field), ...defaultOf(field)]) : {},
    schema: { ...schemaOf(field), ...asObject(defaultOf(field)) },
    /** Without its default. */
    changeSchema: schemaOf(field),
    /** Whether a change needs a schema for null, which removes the value. The schema of any JSON takes it already. */
    takesNull: (optional || field.default !== undefined) && (type !== 'json' || list),
    /** Whether its value is a text of JSON. */
    isText: typeof examples[0] === 'string',
    numeric: type === 'decimal' || type === 'bigint',
    timed: type === 'date' || type === 'datetime',
    /** The function of `pkg/resource/` that finds what JSON Schema cannot. */
    checkedBy: type === 'json' ? 'depthFaults' : type === 'date' || type === 'datetime' ? 'timeFaults' : 'numberFaults',
    canonicalBy: canonicalBy[type] ?? null,
    /** Whether it refers to the resource itself. */
    self: field.target === resource,
    values: field.values ?? [],
    precision: field.precision ?? null,
    scale: field.scale ?? null,
    target: field.target === undefined ? null : target(field.target),
    state,
    example: examples[0] ?? null,
    /** A value that differs from the example; the example itself when the field takes only one. */
    other: examples[1] ?? examples[0] ?? null,
  };
}

function limitsOfText(field: Field): { min?: unknown; max?: unknown } {
  const { least, greatest } = boundsOf(field);
  const [min, max] =
    field.type === 'bigint' ? [least ?? `-${2n ** 63n}`, greatest ?? String(2n ** 63n - 1n)] : [least, greatest];
  return { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
}

function defaultOf({ default: value }: Field) {
  return value === undefined ? [] : [{ keyword: 'default', value }];
}

/** The least and the greatest value or length, also where the type sets it. */
function limitsOf(field: Field) {
  const { least, greatest } = boundsOf(field);
  const isNothing = least === undefined || (hasLength(field) && least === 0);
  return {
    hasMin: !isNothing,
    min: isNothing ? null : least,
    hasMax: greatest !== undefined,
    max: greatest ?? null,
  };
}

function statesOf(field: Field, text: string) {
  const states = field.values ?? [];
  const byVerb = new Map<string, Transition[]>();
  for (const one of parseStates(field, text)) byVerb.set(one.verb, [...(byVerb.get(one.verb) ?? []), one]);
  const transitions = [...byVerb].map(([verb, all]) => ({
    verb,
    ...namesOf(verb),
    Words: capital(namesOf(verb).words),
    to: all[0]?.to ?? '',
    from: all.map(({ from }) => from),
  }));
  const [initial = ''] = states;
  return {
    field: { name: field.name, ...namesOf(field.name) },
    initial,
    states,
    transitions,
    /** Mermaid takes few characters in the id of a state. */
    diagram: {
      nodes: states.map((state, index) => ({ id: `s${index}`, state })),
      edges: transitions.flatMap(({ verb, from, to }) =>
        from.map((each) => ({ from: `s${states.indexOf(each)}`, to: `s${states.indexOf(to)}`, verb })),
      ),
    },
    /** One transition that a new entity can make once, for tests. */
    opening: transitions.filter(({ from, to }) => from.includes(initial) && !from.includes(to)).slice(0, 1),
  };
}

/** What one migration does. Its fields have no states: whether a field has them is not part of the history. */
function changeOf(resource: string, revision: Revision, before: Revision | undefined, resources: Resources) {
  const { name, change = {}, fields: texts, plural } = revision;
  const target = (other: string) => targetAt(other, name, resources);
  const read = (field: string, text = '') => fieldOf(parseField(field, text), target);
  const fieldsIn = (all: Readonly<Record<string, string>> = {}) =>
    Object.entries(all)
      .sort(byKey)
      .map(([field, text]) => read(field, text));
  const named = (field: string): ReturnType<typeof read> => read(field, texts[field]);
  const said = {
    add: before === undefined ? fieldsIn(texts) : [...(change.add ?? [])].sort().map(named),
    drop: fieldsIn(change.drop),
    rename: Object.entries(change.rename ?? {})
      .sort(byKey)
      .map(([from, to]) => ({ from: { ...namesOf(from), name: from }, to: { ...namesOf(to), name: to } })),
    alter: Object.entries(change.alter ?? {})
      .sort(byKey)
      .map(([field, text]) => ({ before: read(field, text), after: named(field) })),
  };
  const awaited = before === undefined ? awaitedBy(resource, name, resources) : [];
  const table = namesOf(plural).snake;
  const { up, down } =
    before === undefined
      ? creationOf(
          table,
          said.add,
          awaited.map((each) => ({ table: each.plural.snake, column: each.field })),
        )
      : changeSteps({
          ...{ from: namesOf(before.plural).snake, to: table, columns: fieldsIn(before.fields) },
          ...{ drop: said.drop, alter: said.alter, add: said.add },
          rename: new Map(said.rename.map(({ from, to }) => [from.snake, to.snake])),
        });
  return {
    name,
    create: before === undefined,
    plural: namesOf(plural),
    /** The plural before, when the migration changes it. */
    former: before === undefined || before.plural === plural ? null : namesOf(before.plural),
    ...said,
    fields: fieldsIn(texts),
    /** Refs of earlier tables to the table that this migration creates. */
    awaited,
    /** The functions of a migration; none when the database does not notice the change. */
    directions:
      up.length === 0
        ? []
        : [
            { name: 'up', steps: up },
            { name: 'down', steps: down },
          ],
  };
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

/**
 * The names of the target of a ref at the time of a migration. `exists` is false when the target was removed since, and `later` is true
 * when its table is created by a later migration.
 */
function targetAt(name: string, migration: string, resources: Resources) {
  if (!Object.hasOwn(resources, name)) return { ...resourceNames(name, `${name}s`), exists: false, later: false };
  const revisions = revisionsOf(name, at(resources, name));
  const [first] = revisions;
  const then = revisions.findLast((revision) => revision.name <= migration) ?? first;
  const later = first !== undefined && first.name > migration;
  return { ...resourceNames(name, then?.plural ?? name), exists: true, later };
}

function awaitedBy(resource: string, migration: string, resources: Resources) {
  return (referrersIn(resources).get(resource) ?? []).flatMap((other) => {
    const then = revisionsOf(other, at(resources, other)).findLast(({ name }) => name < migration);
    const refs = Object.entries(then?.fields ?? {})
      .map(([field, text]) => parseField(field, text))
      .filter(({ target }) => target === resource);
    return refs.map((field) => ({
      plural: namesOf(then?.plural ?? other),
      field: fieldOf(field, (name) => targetAt(name, migration, resources)),
    }));
  });
}

const referrers = new WeakMap<Resources, ReadonlyMap<string, readonly string[]>>();

/** Resource → the other resources that refer to it, now or before, sorted by name. */
function referrersIn(resources: Resources): ReadonlyMap<string, readonly string[]> {
  const known = referrers.get(resources);
  if (known !== undefined) return known;
  const found = new Map<string, string[]>();
  for (const name of Object.keys(resources).sort()) {
    const texts = revisionsOf(name, at(resources, name)).flatMap(({ fields }) => Object.entries(fields));
    const targets = new Set(
      texts.flatMap(([field, text]) => (text.startsWith('ref(') ? parseField(field, text).target : []) ?? []),
    );
    for (const target of targets) if (target !== name) found.set(target, [...(found.get(target) ?? []), name]);
  }
  referrers.set(resources, found);
  return found;
}
