import { graft } from './graft.ts';
import type { Format } from './format.ts';
import { equal } from './tree.ts';
import { patchYaml } from './yamlPatch.ts';
import { faultIn, mappingIn, readYaml } from './yamlTree.ts';

/** YAML: several documents are several values. */
export const yamlFormat: Format = {
  read(text) {
    const read = readYaml(text);
    return 'line' in read ? read : read.map(({ tree }) => tree);
  },
  /** Writes a value into a YAML text. Only one document that is a mapping can be written. */
  write(texts, side, target) {
    const text = texts[side];
    const document = mappingIn(text);
    if (equal(document?.tree, target)) return text;
    const source = mappingIn(texts.theirs);
    if (document === undefined || source === undefined) return undefined;
    const options = { lineWidth: 0, indent: indentOf(text), indentSeq: !/^( *)[^\s#-].*:[ \t]*\n\1- /m.test(text) };
    const laidOut = document.document.toString(options);
    if (!patchYaml(document.document.contents, target, source.document.contents)) return undefined;
    // The edit may have removed an anchor that is still used.
    if (faultIn(document.document) !== undefined) return undefined;
    const patched = document.document.toString(options);
    // The library formats the whole document again. Only the lines that the edits changed are copied into the original text.
    const inPlace = graft({ base: laidOut, yours: text, theirs: patched });
    return [inPlace, patched].find((candidate) => equal(mappingIn(candidate)?.tree, target));
  },
};

function indentOf(text: string): number {
  const step = /^[^\s#-].*:[ \t]*(?:#.*)?\n( +)[^\s#]/m.exec(text)?.[1]?.length ?? 2;
  return step > 8 ? 2 : step;
}
