import { type OpenRepository, repositorySuite } from '../../test/support/repository.ts';
import type { Item } from './domain.ts';
import { anItem } from './examples.ts';

/** It has other values of the fields that are unique, that order lists, and that lists look for. */
const another: Item = {
  ...anItem,
  name: 'name 2',
  createdAt: '2026-02-03T04:05:06.007Z',
};

/**
 * What holds of the repository on every database.
 * @param open opens one that is empty
 */
export function itemRepositorySuite(open: () => Promise<OpenRepository<Item>>): void {
  repositorySuite(open, {
    pair: [anItem, another],
    optional: [],
    unique: [],
    sortable: ['createdAt', 'name'],
    filters: ['name'],
  });
}
