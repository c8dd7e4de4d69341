import { align, mapTrio, sameLines } from './align.ts';
import { append, readLines, writeLines } from './lines.ts';
import type { Trio } from '../../model.ts';

/**
 * Applies a change to a text that has the same content as the change's base but another layout.
 * @param texts the base and the result (`theirs`) of the change, and the text to change (`yours`)
 * @returns the changed text; near the change it may have the layout of the result
 */
export function graft(texts: Trio<string>): string {
  const sides = mapTrio(texts, readLines);
  const lines: string[] = [];
  for (const region of align(mapTrio(sides, (side) => side.lines))) {
    if (region.from === 'both') {
      append(lines, graftPlace(mapTrio(region.ranges, ([from, to], side) => sides[side].lines.slice(from, to))));
    } else {
      append(lines, sides[region.from].lines.slice(...region.range));
    }
  }
  return writeLines({ lines, ended: sides.yours.ended });
}

/** Handles one place where changed lines touch lines with another layout. */
function graftPlace({ base, yours, theirs }: Trio<readonly string[]>): readonly string[] {
  const shorter = Math.min(base.length, theirs.length);
  let head = 0;
  while (head < shorter && base[head] === theirs[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && base[base.length - 1 - tail] === theirs[theirs.length - 1 - tail]) tail += 1;
  const changed = theirs.slice(head, theirs.length - tail);

  const behind = base.slice(head);
  if (head > 0 && yours.length >= behind.length && sameLines(yours.slice(yours.length - behind.length), behind)) {
    return [...yours.slice(0, yours.length - behind.length), ...changed, ...base.slice(base.length - tail)];
  }
  const before = base.slice(0, base.length - tail);
  if (tail > 0 && yours.length >= before.length && sameLines(yours.slice(0, before.length), before)) {
    return [...base.slice(0, head), ...changed, ...yours.slice(before.length)];
  }
  return theirs;
}
