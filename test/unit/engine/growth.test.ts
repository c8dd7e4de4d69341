import { describe, expect, it } from 'vitest';
import { didYouMean } from '../../../generators/engine/suggest.ts';
import { isIn } from '../../../generators/engine/names.ts';
import { hasConflictMarkers } from '../../../generators/engine/text.ts';
import { moduleSpecifiers } from '../../../generators/engine/reconcile/moduleSpecifiers.ts';
import { parseUntrusted } from '../../../generators/engine/json.ts';
import { merge } from '../../../generators/engine/reconcile/merge/merge.ts';
import { visible } from '../../../generators/report/visible.ts';

/** Input of a size → the work. */
type Work = (size: number) => () => unknown;

const works: Readonly<Record<string, readonly [size: number, work: Work]>> = {
  'conflict markers that begin and do not end': [4000, text((size) => '<<<<<<< a\n'.repeat(size), hasConflictMarkers)],
  'conflict markers that are divided and do not end': [
    4000,
    text((size) => '<<<<<<< a\n=======\n'.repeat(size), hasConflictMarkers),
  ],
  'regular expressions that do not end': [4000, text((size) => '/['.repeat(size), moduleSpecifiers)],
  'strings that do not end': [4000, text((size) => `'${String.raw`\'`.repeat(size)}`, moduleSpecifiers)],
  'both kinds of string, none ended': [4000, text((size) => `'"\\`.repeat(size), moduleSpecifiers)],
  'comments that do not end': [4000, text((size) => '/*'.repeat(size), moduleSpecifiers)],
  'templates that do not end': [4000, text((size) => '`${'.repeat(size), moduleSpecifiers)],
  'many imports': [4000, text((size) => "import 'a';\n".repeat(size), moduleSpecifiers)],
  'many ejected files': [
    500,
    (size) => {
      const names = Array.from({ length: size }, (_, index) => `src/${index}/`);
      return () => names.map((name) => isIn(`${name}a.ts`, names));
    },
  ],
  'a long unknown word': [
    4000,
    text(
      (size) => 'x'.repeat(size),
      (word) => didYouMean(word, ['postgres', 'redis']),
    ),
  ],
  'text with many escapes': [20_000, text((size) => '\u001B'.repeat(size), visible)],
  'JSON that breaks at its end': [
    4000,
    text(
      (size) => `[${'{"a": [1, "b"]},'.repeat(size)}`,
      (json) => {
        try {
          return parseUntrusted(json, 'x', 'y');
        } catch (error) {
          return error;
        }
      },
    ),
  ],
  'YAML with many keys': [
    100,
    merged('a.yaml', (size, value) => keys(size, (index) => `k${index}: ${value} # ${index}`)),
  ],
  'YAML whose comments must all stay': [
    100,
    (size) => {
      const yours = `${keys(size, (index) => `k${index}: 1 # ${index}`)}\n`;
      return () => merge('a.yaml', 'a: 1\n', yours, 'a: 2\nb: 1\n', 'markers');
    },
  ],
  'JSON that loses every second key': [
    500,
    (size) => {
      const json = (step: number): string => `{${keys(size / step, (index) => `"k${index * step}": 1,`)} "z": 1}`;
      return () => merge('a.json', json(2), json(1), '{}', 'markers');
    },
  ],
  'YAML with a long list': [
    100,
    merged('a.yaml', (size, value) => `a:\n${keys(size, (index) => `  - n${index}${value}`)}`),
  ],
  'JSON with many keys': [
    500,
    merged('a.json', (size, value) => `{${keys(size, (index) => `"k${index}": ${value},`)} "z": 0}`),
  ],
  'package.json with many dependencies': [
    500,
    merged(
      'package.json',
      (size, value) => `{"dependencies": {${keys(size, (index) => `"k${index}": "${value}.0.0",`)} "z": "1.0.0"}}`,
    ),
  ],
  'text with many lines': [2000, merged('a.md', (size, value) => keys(size, (index) => `${index} ${value}`))],
  'text with equal lines': [2000, merged('a.md', (size, value) => `${'same\n'.repeat(size)}${value}\n`)],
};

function text(make: (size: number) => string, use: (text: string) => unknown): Work {
  return (size) => {
    const made = make(size);
    return () => use(made);
  };
}

/** A merge in which each side changes one half of the lines, and both sides change one. */
function merged(path: string, make: (size: number, value: number) => string): Work {
  return (size) => {
    const [base, other] = [make(size, 1), make(size, 2)].map((side) => side.split('\n'));
    const half = (from: number, to: number): string =>
      (base ?? []).map((line, index) => (index >= from && index < to ? (other?.[index] ?? line) : line)).join('\n');
    const middle = Math.floor((base ?? []).length / 2);
    const sides = [half(0, 0), half(0, middle + 1), half(middle, Number.MAX_SAFE_INTEGER)] as const;
    return () => merge(path, ...sides, 'markers');
  };
}

function keys(size: number, line: (index: number) => string): string {
  return Array.from({ length: size }, (_, index) => line(index)).join('\n');
}

/** The least processor time (µs) of this thread for some work. Other programs and threads do not count. */
function timeOf(work: () => unknown): number {
  const times = Array.from({ length: 3 }, () => {
    const before = process.threadCpuUsage();
    work();
    const { user, system } = process.threadCpuUsage(before);
    return user + system;
  });
  return Math.min(...times);
}

const factor = 32;

describe('time grows with the size of the input, and not with its square', () => {
  it.for(Object.entries(works))('%s', { timeout: 600_000 }, ([, [size, work]]) => {
    const [small, large] = [work(size), work(size * factor)];
    // Compiles the code.
    small();
    // Below a millisecond, the clock is too coarse.
    const least = Math.max(timeOf(small), 1000);
    expect(timeOf(large) / least).toBeLessThan((factor * factor) / 3);
  });
});
