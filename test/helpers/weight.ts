import { newManifest } from '../../generators/engine/manifest.ts';
import type { Catalogue, FileSet, Preset } from '../../generators/engine/model.ts';
import { withRequired } from '../../generators/engine/resolve.ts';
import { decode } from '../../generators/engine/text.ts';
import { render } from '../../generators/engine/render.ts';

/** The amount of code that an owner has to read. */
export interface Weight {
  readonly files: number;
  /** Lines of code in TypeScript, as cloc counts them: no blank lines, no comments. Tests and printed code are left out. */
  readonly lines: number;
  /** The same files with their comments and blank lines. */
  readonly allLines: number;
  /** Lines of code in tests. */
  readonly testLines: number;
}

const isCode = (line: string): boolean => !/^\s*(?:\/\/|\/\*|\*|$)/.test(line);

const isTest = (path: string): boolean => /\.(?:test|suite)\.ts$|\/testing\.ts$|^test\//.test(path);
/** buf generates `api/gen/`. Slipway generates `*.gen.ts`. */
const isPrinted = (path: string): boolean => /^api\/gen\/|\.gen\.ts$/.test(path);

/**
 * @param files files of a service; `.slipway/` is ignored
 * @returns their weight
 */
export function weightOf(files: FileSet): Weight {
  const own = [...files].filter(([path]) => !path.startsWith('.slipway/'));
  const lines = (wanted: (path: string) => boolean): string[] =>
    own
      .filter(([path]) => path.endsWith('.ts') && !isPrinted(path) && wanted(path))
      .flatMap(([, { bytes }]) => (decode(bytes) ?? '').trimEnd().split('\n'));
  const all = lines((path) => !isTest(path));
  return {
    files: own.length,
    lines: all.filter(isCode).length,
    allLines: all.length,
    testLines: lines(isTest).filter(isCode).length,
  };
}

/**
 * @param preset requested modules and resources
 * @param catalogue catalogue of the modules
 * @returns a service with these, and all that the modules require
 */
export function serviceOfPreset({ modules, resources }: Omit<Preset, 'summary'>, catalogue: Catalogue): FileSet {
  const wanted = { name: 'orders', modules: withRequired(modules, catalogue), resources };
  return render(newManifest(wanted, catalogue), catalogue);
}
