import type { Catalogue, CatalogueModule, Derivation, Manifest, Ownership } from '../model.ts';

/** The input of a composer. */
export interface ComposeInput {
  readonly manifest: Manifest;
  readonly catalogue: Catalogue;
  /** The base, then the service's modules. Each module comes after all modules that it requires. */
  readonly modules: readonly CatalogueModule[];
  /** Sorted paths of the files that the modules contain themselves. */
  readonly paths: readonly string[];
}

/** The printed text of a shared file. */
export interface ComposedFile {
  readonly text: string;
  readonly ownership: Ownership;
  readonly derivation?: Derivation;
}

/** Prints one or more shared files from the contributions of the modules. Each shared file has exactly one composer. */
export type Composer = (input: ComposeInput) => Iterable<readonly [path: string, file: ComposedFile]>;
