import { fieldOf, isObject } from '../json.ts';
import type { CatalogueModule, Printers } from '../model.ts';
import { SlipwayError, exitCodes } from '../errors.ts';
import type { Composer } from './composer.ts';

const contractPath = 'api/openapi.json';
const clientPath = 'pkg/client/contract.gen.ts';

/**
 * `api/openapi.json` and the types of the client. The document joins the parts of the modules. The types follow the document on disk.
 * The printers of the catalogue are the same as those of the service.
 */
export const composeContract: Composer = ({ manifest, modules, catalogue: { printers } }) => {
  const parts = modules.filter(({ contract }) => contract !== undefined);
  if (parts.length === 0) return [];
  const text = printers.document(join({ info: { title: manifest.service.name } }, parts));
  const types = typesFrom(text, printers) ?? '';
  const print = (now: string): string | undefined => (now === text ? types : typesFrom(now, printers));
  const derivation = { from: contractPath, print };
  return [
    [contractPath, { text, ownership: 'merged' }],
    [clientPath, { text: types, ownership: 'derived', derivation }],
  ];
};

function typesFrom(text: string, { types }: Printers): string | undefined {
  try {
    const document: unknown = JSON.parse(text);
    return fieldOf(document, 'openapi') === undefined ? undefined : types(document);
  } catch {
    // The text is not JSON, for example because it has conflict markers.
    return undefined;
  }
}

/** Joins objects by key, and arrays as sets. Any other value must be equal in all modules. */
function join(start: unknown, modules: readonly CatalogueModule[]): unknown {
  const joined = (present: unknown, part: unknown, module: string, keys: readonly string[]): unknown => {
    if (present === undefined || part === undefined) return present ?? part;
    if (isObject(present) && isObject(part)) {
      const all = new Set([...Object.keys(present), ...Object.keys(part)]);
      // An operation ends with its responses, as in the document that the service prints of itself.
      if (all.has('operationId') && all.delete('responses')) all.add('responses');
      const members = [...all].map((key): [string, unknown] => [
        key,
        joined(fieldOf(present, key), fieldOf(part, key), module, [...keys, key]),
      ]);
      return Object.fromEntries(members);
    }
    if (Array.isArray(present) && Array.isArray(part)) {
      const items = [present, part].flat().map((item: unknown) => [JSON.stringify(item), item] as const);
      return [...new Map(items).values()];
    }
    if (JSON.stringify(present) === JSON.stringify(part)) return present;
    const other = modules.find(({ contract }) => keys.reduce(fieldOf, contract) !== undefined);
    throw new SlipwayError(
      exitCodes.failed,
      `modules "${other?.id}" and "${module}" disagree on ${keys.join(' → ')} of ${contractPath}`,
    );
  };
  return modules.reduce((document, { id, contract }) => joined(document, contract, id, []), start);
}
