import type { Catalogue, CatalogueModule } from '../catalogue.ts';
import type { Manifest } from '../manifest.ts';
import type { Derivation } from '../fileSet.ts';
import type { Ownership } from '../module.ts';

/** What a composer may look at. */
export interface ComposeInput {
  readonly manifest: Manifest;
  readonly catalogue: Catalogue;
  /** The base, then the service's modules, each after all that it requires. */
  readonly modules: readonly CatalogueModule[];
  /** Sorted paths of the files that the modules bring themselves. */
  readonly paths: readonly string[];
}

/** A shared file as printed. */
export interface ComposedFile {
  readonly text: string;
  readonly ownership: Ownership;
  readonly derivation?: Derivation;
}

/** The only owner of one or more shared files: prints them from what the modules contribute. */
export type Composer = (input: ComposeInput) => Iterable<readonly [path: string, file: ComposedFile]>;
