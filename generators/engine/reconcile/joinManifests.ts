import { badInput, exitCodes, SlipwayError } from '../errors.ts';
import { fieldOf, isObject, sorted } from '../json.ts';
import { isNewer, manifestPath } from '../manifest.ts';
import { migrateManifest } from '../migrate.ts';
import { ciProviders, type Manifest, type Merged, type Trio } from '../model.ts';
import { parseJson } from '../parseManifest.ts';
import { modulesOf } from '../resolve.ts';
import { labelled, type Sides } from './branches.ts';
import { mapTrio } from './merge/align.ts';
import { ruleFor } from './policy.ts';
import type { Request } from './prepare.ts';

/**
 * Joins the manifests of two branches by key: what one side added is added, what one side removed is removed.
 * @param sides the sides of the merge
 * @param request checks the joined manifest
 * @returns the manifest, or the merged text of `slipway.json` with its conflicts
 * @throws SlipwayError when a side has no manifest, or when the modules of both sides cannot be together
 */
export function joinManifests(sides: Sides, request: Request): Manifest | Omit<Merged, 'base'> {
  if (sides.progress(manifestPath) === 'begun') {
    throw badInput(`${manifestPath} still holds conflict markers`, 'resolve them, and run `slipway resolve` again');
  }
  const texts = { base: sides.base.manifestText ?? '{}', ...bothTexts(sides) };
  const raws = mapTrio(texts, (text) => parseJson(text));
  const catalogue = newest(fieldOf(raws.yours, 'catalogue'), fieldOf(raws.theirs, 'catalogue'));
  const plain = mapTrio(raws, (raw, side) => {
    const migrated =
      side === 'base' && fieldOf(raw, 'version') === undefined ? {} : migrateManifest(raw, request.catalogue);
    return JSON.stringify({ ...(isObject(migrated) ? migrated : {}), catalogue });
  });
  const choice = ruleFor([manifestPath], request.conflicts ?? [])?.choice;
  const merge = ({ base, yours, theirs }: Trio<string>, how: 'markers' | 'ours' = 'markers') =>
    request.merge(manifestPath, base, yours, theirs, how);
  if (choice === 'ours' || choice === 'theirs') {
    return accepted(merge(choice === 'ours' ? plain : turned(plain), 'ours').text, request);
  }
  const joined = merge(plain);
  if (joined.conflicts.length > 0) return { conflicts: joined.conflicts, text: labelled(merge(texts).text) };
  // A merge keeps what yours changed inside of a value that theirs removed. Between two people that is a conflict.
  const { conflicts } = merge(turned(plain));
  if (conflicts.length > 0) return { conflicts, text: labelled(merge(turned(texts)).text, ['theirs', 'ours']) };
  return accepted(joined.text, request);
}

function accepted(text: string, request: Request): Manifest {
  const manifest = tidy(request.edit(parseJson(text)));
  refuseUnfit(manifest, request);
  return manifest;
}

function turned({ base, yours, theirs }: Trio<string>): Trio<string> {
  return { base, yours: theirs, theirs: yours };
}

function bothTexts({ yours, theirs }: Sides): Pick<Trio<string>, 'yours' | 'theirs'> {
  const [ours, others] = [yours.manifestText, theirs.manifestText];
  if (ours !== undefined && others !== undefined) return { yours: ours, theirs: others };
  throw badInput(
    `${manifestPath} is deleted on one side (${ours === undefined ? 'ours' : 'theirs'}), so there is nothing to join`,
    `leave Slipway on both (git rm -r --cached ${manifestPath} .slipway) and resolve the files by hand, or keep it ` +
      `(git add ${manifestPath}) and run \`slipway resolve\` again`,
  );
}

function newest(some: unknown, other: unknown): unknown {
  return typeof some === 'string' && typeof other === 'string' && isNewer(other, some) ? other : some;
}

/** Puts lists into the order in which the commands write them. */
function tidy(manifest: Manifest): Manifest {
  const { ci, modules, resources, ejected } = manifest;
  return {
    ...manifest,
    ci: ciProviders.filter((provider) => ci.includes(provider)),
    modules: sorted(modules),
    ...(resources && { resources: sorted(resources) }),
    ...(ejected && { ejected: [...ejected].sort() }),
  };
}

function refuseUnfit(manifest: Manifest, { catalogue }: Request): void {
  try {
    modulesOf(manifest, catalogue);
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
    throw new SlipwayError(exitCodes.conflicts, `the two branches do not fit together: ${error.message}`, {
      hint: `write the modules that you want into ${manifestPath}, and run \`slipway resolve\` again; nothing was written`,
      cause: error,
    });
  }
}
