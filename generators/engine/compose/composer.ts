import type { Catalogue, CatalogueModule, Derivation, Manifest, Ownership } from '../model.ts';

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

/** What the merge of a lockfile starts from. */
export interface LockfileMerge<Pins> {
  /** `package.json` as it is and as it will be, parsed. */
  readonly before: unknown;
  readonly after: unknown;
  /** The lockfile on disk; undefined for a new one. */
  readonly yours: string | undefined;
  /** The catalogue's lockfile: every package of every module. */
  readonly pins: Pins;
  /** Whether a version of the catalogue that is newer than yours wins. */
  readonly raise: boolean;
}
