import { badInput } from '../../errors.ts';
import { didYouMean, fewOf } from '../../suggest.ts';
import { parseField, printField } from '../fields.ts';
import { namesOf } from '../names.ts';
import type { Found } from './found.ts';

/**
 * Selects some of the resources that were found.
 * @param found all of them
 * @param names those to take, in any style, each in the singular or the plural
 * @param present names of the resources of the service
 * @returns the resources to take, each after those that it refers to. A ref to one that is neither taken nor present becomes a
 * UUID, and is listed
 * @throws SlipwayError (exit code 2) when a name is not among them
 */
export function choose(found: readonly Found[], names: readonly string[], present: readonly string[]): Found[] {
  const wanted = new Set(
    names.map((typed) => {
      const { kebab } = namesOf(typed);
      const one = found.find(({ name, plural }) => name === kebab || plural === kebab);
      if (one !== undefined) return one.name;
      const known = found.map(({ name }) => name);
      throw badInput(`no resource "${typed.slice(0, 60)}" is found`, didYouMean(kebab, known));
    }),
  );
  const targets = new Set([...wanted, ...present]);
  return inOrder(found.filter(({ name }) => wanted.has(name)).map((one) => withoutRefs(one, targets)));
}

/** Tables are created in this order. In a circle, an optional ref may be to a later one. */
function inOrder(found: readonly Found[]): Found[] {
  const open = new Map(found.map((one) => [one.name, { one, refs: refsOf(one) }]));
  const ordered: Found[] = [];
  const isReady = (name: string, isRequired: boolean): boolean =>
    open
      .get(name)
      ?.refs.every((ref) => ref.target === name || !open.has(ref.target) || (isRequired && ref.optional)) === true;
  while (open.size > 0) {
    const names = [...open.keys()];
    const next =
      names.find((name) => isReady(name, false)) ?? names.find((name) => isReady(name, true)) ?? names[0] ?? '';
    ordered.push(...[open.get(next)?.one].filter((one) => one !== undefined));
    open.delete(next);
  }
  return ordered;
}

function refsOf({ fields }: Found): { readonly target: string; readonly optional: boolean }[] {
  return Object.entries(fields).flatMap(([name, text]) => {
    const { target, optional } = parseField(name, text);
    return target === undefined ? [] : [{ target, optional }];
  });
}

/** Replaces refs to what is not there. */
function withoutRefs(found: Found, targets: ReadonlySet<string>): Found {
  const left = [...found.left];
  const fields = Object.entries(found.fields).map(([name, text]): [string, string] => {
    const { target, ...field } = parseField(name, text);
    if (target === undefined || targets.has(target)) return [name, text];
    left.push(`${found.name}.${name}: the resource ${target} is not taken; the field is a uuid`);
    return [name, printField({ ...field, type: 'uuid' })];
  });
  return { ...found, fields: Object.fromEntries(fields), left };
}

/**
 * Creates the error for a run that cannot ask which resources to take.
 * @param found what can be taken
 * @returns the error, with exit code 2, for the caller to throw
 */
export function notChosen(found: readonly Found[]): Error {
  const names = found.map(({ name }) => name);
  return badInput(
    `${names.length} resources are found: ${fewOf(names)}`,
    'choose some with --only order,customer, or all with --yes',
    {
      found,
    },
  );
}
