import { newManifest } from '../../generators/engine/manifest.ts';
import type { Catalogue, FileSet, Preset } from '../../generators/engine/model.ts';
import { withRequired } from '../../generators/engine/resolve.ts';
import { decode } from '../../generators/engine/text.ts';
import { render } from '../../generators/engine/render.ts';

/** The amount of code that an owner has to read. */
export interface Weight {
  readonly files: number;
  /** Lines of TypeScript, without tests and without code that a tool generates. */
  readonly lines: number;
  readonly testLines: number;
}

const isTest = (path: string): boolean => /\.(?:test|suite)\.ts$|\/testing\.ts$|^test\//.test(path);
/** buf generates `api/gen/`. Slipway generates `*.gen.ts`. */
const isPrinted = (path: string): boolean => /^api\/gen\/|\.gen\.ts$/.test(path);

/**
 * @param files files of a service; `.slipway/` is ignored
 * @returns their weight
 */
export function weightOf(files: FileSet): Weight {
  const own = [...files].filter(([path]) => !path.startsWith('.slipway/'));
  const lines = (wanted: (path: string) => boolean): number =>
    own
      .filter(([path]) => path.endsWith('.ts') && !isPrinted(path) && wanted(path))
      .reduce((sum, [, { bytes }]) => sum + (decode(bytes) ?? '').split('\n').length - 1, 0);
  return { files: own.length, lines: lines((path) => !isTest(path)), testLines: lines(isTest) };
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
