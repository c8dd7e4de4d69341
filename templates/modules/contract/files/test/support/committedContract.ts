import document from '../../api/openapi.json' with { type: 'json' };
import { Contract, type Exchange } from './contract.ts';

/** What the service promises: `api/openapi.json`. */
export const contract = new Contract(document);

const others = new WeakMap<object, Contract>();

/**
 * @param exchange a reply of a server in a test
 * @returns what it is held against: what the service promises, or what its own server says, whose routes are not listed there
 */
export function contractOf({ document: own }: Exchange): Contract {
  if (own === undefined) return contract;
  const known = others.get(own) ?? new Contract({ ...own });
  others.set(own, known);
  return known;
}
