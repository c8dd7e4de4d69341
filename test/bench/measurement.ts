import type { Workspace } from './workspace.ts';

/** One section of docs/performance.md. */
export interface Measurement {
  /** Its heading. */
  readonly title: string;
  /** Names what it needs and this machine does not have. */
  readonly lacks?: () => readonly string[] | Promise<readonly string[]>;
  /** @returns what stands below the heading, in Markdown */
  readonly measure: (workspace: Workspace) => string | Promise<string>;
}
