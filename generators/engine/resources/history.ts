import type { Resource, ResourceChange } from '../model.ts';

/** One migration of a resource. */
export interface Revision {
  /** Name of the migration. */
  readonly name: string;
  /** What it changed; undefined for the one that creates the table. */
  readonly change?: ResourceChange;
  /** Name → text of each field after it, sorted by name: the order of `fields` in the manifest has no effect on a migration. */
  readonly fields: Readonly<Record<string, string>>;
  /** The name and the plural of the resource after it. */
  readonly resource: string;
  readonly plural: string;
}

/**
 * Finds all migrations of a resource: the fields before a change are those after it, with the change undone.
 * @param now name of the resource in the manifest
 * @param resource the resource
 * @returns its migrations, oldest first; or the fault of the first change that cannot be undone
 */
export function historyOf(
  now: string,
  resource: Resource,
): { revisions: readonly Revision[] } | { change: string; fault: string } {
  const revisions: Revision[] = [];
  let fields = new Map(Object.entries(resource.fields));
  let { plural } = resource;
  let name = now;
  const changes = Object.entries(resource.changes ?? {}).sort(([a], [b]) => (a < b ? 1 : -1));
  for (const [migration, change] of changes) {
    revisions.unshift({ name: migration, change, fields: byName(fields), resource: name, plural });
    const before = undo(fields, change);
    if (typeof before === 'string') return { change: migration, fault: before };
    fields = before;
    plural = change.plural ?? plural;
    name = change.name ?? name;
  }
  const first = firstMigration(resource.created, plural);
  const early = changes.find(([change]) => change <= first)?.[0];
  if (early !== undefined) return { change: early, fault: `it comes before ${first}, which creates the table` };
  return { revisions: [{ name: first, fields: byName(fields), resource: name, plural }, ...revisions] };
}

/**
 * @param created the date of the first migration
 * @param plural the plural at that time, in kebab-case
 * @returns the name of the migration that creates the table
 */
export function firstMigration(created: string, plural: string): string {
  return `${created}_${plural.replaceAll('-', '_')}`;
}

function byName(fields: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...fields].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Returns the fields before a change, or what is wrong with it. */
function undo(after: ReadonlyMap<string, string>, change: ResourceChange): Map<string, string> | string {
  const { add = [], drop = {}, rename = {}, alter = {} } = change;
  const fields = new Map(after);
  for (const name of add) if (!fields.delete(name)) return `it adds "${name}", which is not there after it`;
  for (const [name, text] of Object.entries(alter)) {
    if (!fields.has(name)) return `it alters "${name}", which is not there after it`;
    fields.set(name, text);
  }
  const former = new Map<string, string>();
  for (const [from, to] of Object.entries(rename)) {
    const text = fields.get(to);
    if (text === undefined || !fields.delete(to)) return `it renames "${from}" to "${to}", which is not there after it`;
    former.set(from, text);
  }
  for (const [name, text] of [...former, ...Object.entries(drop)]) {
    if (fields.has(name)) return `"${name}" is still there after it`;
    fields.set(name, text);
  }
  return fields;
}
