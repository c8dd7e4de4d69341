import path from 'node:path';

import { badInput } from './engine/errors.ts';
import { parseField } from './engine/resources/fields.ts';
import { choose, notChosen } from './engine/resources/from/choose.ts';
import type { Findings, Found } from './engine/resources/from/found.ts';
import type { ResourceRequest } from './engine/resources/edit.ts';
import { type Invocation, textOf } from './invocation.ts';
import { readText } from './readText.ts';

/** Max size (bytes) of a schema. */
const largest = 10 * 2 ** 20;

/** Flag → the reader of what it names. Each reader has its own parser, which only its flag loads. */
const readers = {
  'from-sql': async (file: string, { cwd }: Invocation) => {
    const { fromSql } = await import('./engine/resources/from/sql.ts');
    return fromSql(schemaIn(file, cwd));
  },
  'from-database': async (url: string) => {
    const given = url || process.env['DATABASE_URL'];
    if (!given)
      throw badInput('--from-database needs a database', 'set DATABASE_URL, or write --from-database=postgres://...');
    const [{ sqlOf }, { fromSql }] = await Promise.all([
      import('./io/database.ts'),
      import('./engine/resources/from/sql.ts'),
    ]);
    return fromSql(await sqlOf(given));
  },
  'from-openapi': async (file: string, { cwd }: Invocation) => {
    const { fromOpenapi } = await import('./engine/resources/from/openapi.ts');
    return fromOpenapi(schemaIn(file, cwd));
  },
  'from-proto': async (file: string, { cwd }: Invocation) => {
    const { fromProto } = await import('./engine/resources/from/proto.ts');
    return fromProto(schemaIn(file, cwd));
  },
} as const satisfies Record<string, (value: string, invocation: Invocation) => Promise<Findings>>;

/** The flags that name a schema. */
export const sources = Object.keys(readers) as (keyof typeof readers)[];

/** What to create, and what of the schema is not taken over. */
interface Taken {
  readonly requests: readonly ResourceRequest[];
  readonly notes: readonly string[];
}

/**
 * Reads the schema that a flag names, and asks which of its resources to take.
 * @param invocation how the command was called, with one of `sources`
 * @param present name → resource of the service
 * @returns the resources to create or to change, with what is not taken over
 * @throws SlipwayError (exit code 2) when the schema cannot be read, or when nothing says which resources to take
 */
export async function foundResources(
  invocation: Invocation,
  source: (typeof sources)[number],
  present: readonly string[],
): Promise<Taken> {
  const { found, left } = await readers[source](textOf(invocation, source) ?? '', invocation);
  if (found.length === 0)
    throw badInput(`--${source} finds no resource${left.length === 0 ? '' : `:\n  ${left.slice(0, 12).join('\n  ')}`}`);
  const taken = choose(found, await namesOf(found, invocation), present);
  return {
    requests: taken.map(({ name, plural, fields }) => ({
      name,
      plural: present.includes(name) ? undefined : plural,
      fields: Object.entries(fields).map(([field, text]) => parseField(field, text)),
    })),
    notes: [...taken.flatMap((one) => one.left), ...left],
  };
}

async function namesOf(found: readonly Found[], invocation: Invocation): Promise<readonly string[]> {
  const only = textOf(invocation, 'only');
  if (only !== undefined) return only.split(',').map((name) => name.trim());
  const names = found.map(({ name }) => name);
  if (names.length === 1 || invocation.flags.yes) return names;
  if (!invocation.interactive) throw notChosen(found);
  const { askFound } = await import('./prompts/found.ts');
  const chosen = await askFound(found);
  if (chosen.length === 0) throw badInput('no resource is chosen', 'mark some with the space bar');
  return chosen;
}

function schemaIn(file: string, cwd: string): string {
  const text = readText(path.resolve(cwd, file), 'the schema');
  if (text.length > largest)
    throw badInput(`${file} is too large: ${text.length} characters, where ${largest} are the limit`);
  return text.replace(/^\uFEFF/, '');
}
