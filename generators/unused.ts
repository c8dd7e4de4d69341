/** Replaces parts of plop that Slipway does not use, so that they are not bundled. */

export function glob(): never {
  throw new Error('not used by Slipway');
}

export { glob as globSync, glob as isBinaryFile, glob as isBinaryFileSync, glob as rm };

export default { registerPrompt: glob, prompt: glob, sync: glob };
