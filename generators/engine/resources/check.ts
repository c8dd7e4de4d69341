import { SlipwayError } from '../errors.ts';
import type { Field, Manifest, Resource } from '../model.ts';
import { didYouMean } from '../suggest.ts';
import { examplesOf } from './examples.ts';
import { isFilter, parseField, printField } from './fields.ts';
import { historyOf } from './history.ts';
import { fieldNameFault, resourceNameFault } from './names.ts';
import { parseStates, printStates } from './states.ts';

export const mostFields = 60;
export const mostResources = 200;

/** How the name of a migration begins. The suffixes b, c, …, z, zb, … are for further migrations of the day: they sort after it. */
export const datePattern = /^\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:z*[b-z])?$/;
const changePattern = /^(\d{8}z*[b-z]?)_[a-z0-9_]{1,120}$/;

/** Reports a fault at a JSON pointer (RFC 6901) below the resources. */
type Report = (pointer: string, message: string) => void;

/**
 * Checks what the JSON Schema of the manifest cannot.
 * @param resources of a manifest whose shape is valid
 * @returns every fault, each with its JSON pointer
 */
export function resourceFaults(resources: NonNullable<Manifest['resources']>): string[] {
  const faults: string[] = [];
  const fields = new Map<string, Field[]>();
  for (const [name, resource] of Object.entries(resources)) {
    const report: Report = (pointer, message) => faults.push(`/resources/${escaped(name)}${pointer}: ${message}`);
    fields.set(name, checkResource(name, resource, report));
  }
  const report: Report = (pointer, message) => faults.push(`/resources${pointer}: ${message}`);
  checkNames(resources, report);
  checkRefs(fields, report);
  checkMigrations(resources, report);
  return faults;
}

function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

function checkResource(name: string, resource: Resource, report: Report): Field[] {
  const { plural, created, changes = {}, states = {} } = resource;
  const nameFault = resourceNameFault(name);
  if (nameFault !== undefined) report('', nameFault);
  const pluralFault = plural === name ? 'the plural equals the name; choose another plural' : resourceNameFault(plural);
  if (pluralFault !== undefined) report('/plural', pluralFault);
  if (!datePattern.test(created)) report('/created', 'write a date, such as "20261130"');
  const names = Object.keys(resource.fields);
  if (names.length === 0) report('/fields', 'a resource needs a field');
  if (names.length > mostFields)
    report('/fields', `a resource has at most ${mostFields} fields; given: ${names.length}`);
  const fields = Object.entries(resource.fields).flatMap(([field, text]) => {
    const found = parsed(() => parseField(field, text), `/fields/${escaped(field)}`, report);
    if (found === undefined) return [];
    const canonical = printField(found);
    if (canonical !== text) report(`/fields/${escaped(field)}`, `write it as "${canonical}"`);
    if (examplesOf(found).length === 0)
      report(`/fields/${escaped(field)}`, 'no value is found that the field takes; give one with default(...)');
    const fault = fieldNameFault(field, isFilter(found));
    if (fault !== undefined) report(`/fields/${escaped(field)}`, fault);
    return [found];
  });
  checkStates(states, fields, report);
  for (const [change, { add = [], drop = {}, rename = {}, alter = {}, ...former }] of Object.entries(changes)) {
    const at = `/changes/${escaped(change)}`;
    if (!datePattern.test(changePattern.exec(change)?.[1] ?? '')) report(at, 'name it as "20261201_orders_note"');
    for (const [key, texts] of Object.entries({ drop, alter }))
      for (const [field, text] of Object.entries(texts))
        parsed(() => parseField(field, text), `${at}/${key}/${escaped(field)}`, report);
    const named = [...add, ...Object.keys(drop), ...Object.entries(rename).flat(), ...Object.keys(alter)];
    for (const field of named) {
      const fault = fieldNameFault(field);
      if (fault !== undefined) report(at, `"${field.slice(0, 60)}": ${fault}`);
    }
    for (const key of ['name', 'plural'] as const) {
      const fault = former[key] === undefined ? undefined : resourceNameFault(former[key]);
      if (fault !== undefined) report(`${at}/${key}`, fault);
    }
  }
  const history = historyOf(name, resource);
  if ('fault' in history) report(`/changes/${escaped(history.change)}`, history.fault);
  return fields;
}

/** Returns what a parser returns. Reports its fault. */
function parsed<Value>(parse: () => Value, pointer: string, report: Report): Value | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
    report(pointer, error.message + (error.hint === undefined ? '' : ` (${error.hint})`));
    return undefined;
  }
}

function checkStates(states: NonNullable<Resource['states']>, fields: readonly Field[], report: Report): void {
  const [, second] = Object.keys(states);
  if (second !== undefined) report(`/states/${escaped(second)}`, 'a resource has one field with states');
  for (const [name, text] of Object.entries(states)) {
    const at = `/states/${escaped(name)}`;
    const field = fields.find((one) => one.name === name);
    if (field === undefined) {
      const known = fields.filter(({ type }) => type === 'enum').map((one) => one.name);
      report(at, `there is no field "${name.slice(0, 60)}" (${didYouMean(name, known)})`);
      continue;
    }
    const canonical = parsed(() => printStates(parseStates(field, text)), at, report);
    if (canonical !== undefined && canonical !== text) report(at, `write it as "${canonical}"`);
  }
}

/** One name means one resource: no name or plural is that of another resource. */
function checkNames(resources: NonNullable<Manifest['resources']>, report: Report): void {
  const owners = new Map<string, string>();
  for (const [name, { plural }] of Object.entries(resources)) {
    for (const one of new Set([name, plural])) {
      const other = owners.get(one);
      if (other !== undefined) report(`/${escaped(name)}`, `"${one}" is also a name of the resource "${other}"`);
      owners.set(one, name);
    }
  }
}

function checkRefs(fields: ReadonlyMap<string, readonly Field[]>, report: Report): void {
  const required = new Map<string, string[]>();
  for (const [name, all] of fields) {
    for (const { name: field, target, optional, list } of all) {
      if (target === undefined) continue;
      const at = `/${escaped(name)}/fields/${escaped(field)}`;
      if (!fields.has(target))
        report(at, `there is no resource "${target}" (${didYouMean(target, [...fields.keys()])})`);
      else if (target === name && !optional && !list)
        report(at, 'the first one could refer to nothing; make the ref to itself optional');
      else if (!optional && !list && target !== name) required.set(name, [...(required.get(name) ?? []), target]);
    }
  }
  const circle = circleIn(required);
  if (circle !== undefined)
    report(
      `/${escaped(circle[0] ?? '')}`,
      `resources refer to each other in a circle: ${circle.join(' → ')}; make one of the refs optional`,
    );
}

/** Returns a circle in a graph, its first node also as its last; or undefined. */
function circleIn(edges: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of edges.get(node) ?? []) {
      const circle = visit(next, [...path, node]);
      if (circle !== undefined) return circle;
    }
    done.add(node);
    return undefined;
  };
  for (const node of edges.keys()) {
    const circle = visit(node, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

/** The names of all migrations differ. */
function checkMigrations(resources: NonNullable<Manifest['resources']>, report: Report): void {
  const owners = new Map<string, string>();
  for (const [name, resource] of Object.entries(resources)) {
    const history = historyOf(name, resource);
    if ('fault' in history) continue;
    for (const { name: migration } of history.revisions) {
      const other = owners.get(migration);
      if (other !== undefined) report(`/${escaped(name)}`, `the resource "${other}" also has a migration ${migration}`);
      owners.set(migration, name);
    }
  }
}
