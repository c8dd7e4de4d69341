/** Where in the warehouse something lies. */
export interface Place {
  /** A letter. */
  readonly aisle: string;
  readonly shelf: number;
  readonly bin: number;
}

/** A part, and where it lies. */
export interface Part {
  readonly id: string;
  readonly name: string;
  readonly place: Place;
}

/** What is chosen when a part is created. */
export type NewPart = Omit<Part, 'id'>;

/** Where parts are kept. */
export interface PartRepository {
  add(part: Part): Promise<void>;
  find(id: string): Promise<Part | undefined>;
}

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
