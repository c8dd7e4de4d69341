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
