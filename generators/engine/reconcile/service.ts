import type { DiskFile, Lock } from './lock.ts';

/** A service as it is now. The engine asks for what it needs; where the answers come from is not its business. */
export interface Service {
  /** Content of `slipway.json`; undefined before the first. */
  readonly manifestText: string | undefined;
  readonly lock: Lock;
  /** A file's content; undefined when it is not there. */
  readonly read: (path: string) => DiskFile | undefined;
  /** The base with this hash; undefined when it is lost: it was edited or removed, and is found nowhere else. */
  readonly base: (hash: string) => Uint8Array | undefined;
  /** Paths of the user's own files and Slipway's, without dependencies, build output and `.slipway/`. */
  readonly files: () => readonly string[];
  /** Paths of what an earlier Slipway kept in `.slipway/` and this one does not. */
  readonly outdated: () => readonly string[];
  /** SHA-256, in hex. */
  readonly hash: (bytes: Uint8Array) => string;
}
