import type { NewItem, Item } from './domain.ts';

/** Examples, for the contract and for tests. */
export const aNewItem: NewItem = {
  name: 'name 1',
  quantity: 3,
};

export const anItem: Item = {
  id: '5f0c3b1e-8f0e-4a66-9b8e-3c1d2e4f5a6b',
  version: 1,
  ...aNewItem,
  createdAt: '2026-01-02T03:04:05.000Z',
  updatedAt: '2026-01-02T03:04:05.000Z',
};
