import type { Part, PartRepository } from './domain.ts';

/** @returns a repository in memory: it is empty again after a restart */
export function memoryRepository(): PartRepository {
  const parts = new Map<string, Part>();
  return {
    async add(part) {
      parts.set(part.id, part);
    },
    async find(id) {
      return parts.get(id);
    },
  };
}
