import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Lock } from '../../../generators/engine/model.ts';
import {
  type LockLines,
  type LockRecord,
  parseLock,
  parseOldLock,
  printLock,
} from '../../../generators/engine/reconcile/lock.ts';
import { encode } from '../../../generators/engine/text.ts';
import { indexBases, printBases } from '../../../generators/engine/reconcile/bases.ts';
import { chooseLock } from '../../../generators/engine/reconcile/choose.ts';
import { assertSafePath } from '../../../generators/io/paths.ts';

const sha256 = (bytes: Uint8Array): string => hash('sha256', bytes);
const hashOf = (text: string): string => sha256(encode(text));
const a = { module: 'base', ownership: 'seed', hash: 'a'.repeat(64) } as const;
const b = { module: 'base', ownership: 'merged', hash: 'b'.repeat(64), at: 'moved.ts', adopted: true } as const;
const lock: Lock = { catalogue: '1.0.0', files: { 'b.ts': b, 'a.ts': a } };
const text = printLock(lock, sha256);

const parsed = (from: string): LockLines => parseLock(from, sha256, assertSafePath);
const linesOf = (from: string): string[] => from.trimEnd().split('\n');

/** What is on disk: path → text; and the bases that are kept. */
function chosen(lines: readonly LockLines[], disk: Record<string, string> = {}, bases: readonly string[] = []): Lock {
  return chooseLock(lines, {
    read: (path) => {
      const found = disk[path];
      return found === undefined ? undefined : { bytes: encode(found), mode: 0o644, hash: hashOf(found) };
    },
    base: (wanted) => bases.map((base) => encode(base)).find((base) => sha256(base) === wanted),
    hash: sha256,
  });
}

describe('the lock', () => {
  it('is a header and one line for each file, sorted by path, and is read back', () => {
    expect(linesOf(text).map((line) => JSON.parse(line))).toMatchObject([
      { version: 2, catalogue: '1.0.0' },
      { path: 'a.ts', ...a },
      { path: 'b.ts', ...b },
    ]);
    expect(chosen([parsed(text)])).toEqual(lock);
  });

  it.each([
    ['in another order', linesOf(text).toReversed().join('\n')],
    ['with lines twice', text + text],
    ['with CRLF', text.replaceAll('\n', '\r\n')],
    ['with the markers of a conflict', `<<<<<<< HEAD\n${text}||||||| 1234567\n${text}=======\n${text}>>>>>>> other\n`],
  ])('%s says the same', (_, from) => {
    const lines = parsed(from);
    expect(lines).not.toHaveProperty('fault');
    expect(lines.edited).toEqual([]);
    expect(chosen([lines])).toEqual(lock);
  });

  it('of two headers the newer catalogue counts', () => {
    for (const catalogues of [
      ['0.9.0', '0.10.0'],
      ['0.10.0', '0.9.0'],
    ])
      expect(parsed(catalogues.map((catalogue) => printLock({ catalogue, files: {} }, sha256)).join(''))).toMatchObject(
        {
          catalogue: '0.10.0',
        },
      );
  });

  it.each([
    ['a file outside', { path: '../x' }, 'contains ".."'],
    ['an absolute path', { path: '/etc/passwd' }, 'is absolute'],
    ['a file of git', { path: '.git/config' }, 'git'],
    ['a move to the outside', { at: '../../x' }, 'contains ".."'],
    ['a newer version', { path: undefined, version: 3, catalogue: '1.0.0' }, 'has version 3'],
  ])('with %s is refused', (_, change, message) => {
    expect(() => parsed(JSON.stringify({ path: 'a.ts', ...a, ...change }))).toThrow(message);
  });

  it.each([
    ['a hash that is none', { hash: '../../etc' }],
    ['an unknown ownership', { ownership: 'mine' }],
    ['the manifest', { path: 'slipway.json' }],
    ['a move over the bases', { at: '.slipway/base.jsonl' }],
  ])('with %s has a fault', (_, change) => {
    const from = `${linesOf(text)[0]}\n${JSON.stringify({ path: 'a.ts', ...a, ...change })}\n`;
    expect(parsed(from)).toMatchObject({ fault: 'line 2 is no record of a file', records: [] });
  });

  it.each(['', 'null', '[]', text.slice(0, 200), text.slice(text.indexOf('\n'))])(
    'that was cut to %j has a fault',
    (from) => {
      expect(parsed(from)).toHaveProperty('fault');
    },
  );

  it.each([
    ['"path":"a.ts"', '"path":"c.ts"'],
    ['"module":"base"', '"module":"core"'],
    ['"seed"', '"managed"'],
    ['aaaa', 'cccc'],
  ])('notices that %s was replaced by %s, and keeps the other lines', (from, to) => {
    expect(parsed(text.replace(from, to))).toMatchObject({ records: [{ path: 'b.ts' }], edited: [{}] });
  });

  it('of version 1 is read', () => {
    const old = JSON.stringify({ version: 1, ...lock });
    expect(chosen([parseOldLock(old, assertSafePath)])).toEqual(lock);
    expect(parseOldLock('{', assertSafePath)).toHaveProperty('fault');
    expect(() => parseOldLock(JSON.stringify({ version: 3, ...lock }), assertSafePath)).toThrow('has version 3');
  });
});

describe('of two records for one path', () => {
  const [mine, theirs] = ['one\ntwo\nthree\nfour\nmine\n', 'one\ntwo\nthree\nfour\ntheirs\n'];
  const record = (base: string, more: Partial<LockRecord> = {}): LockRecord => ({
    path: 'a.ts',
    module: 'base',
    ownership: 'merged',
    hash: hashOf(base),
    ...more,
  });
  const pick = (records: readonly LockRecord[], disk: Record<string, string>, bases: readonly string[]) => {
    const lines = { catalogue: '1.0.0', records, edited: [] };
    const picked = chosen([lines], disk, bases).files['a.ts'];
    // The order of the lines must not show.
    expect(chosen([{ ...lines, records: records.toReversed() }], disk, bases).files['a.ts']).toEqual(picked);
    return picked;
  };

  it.each([
    ['whose hash is that of the file', [record(mine), record(theirs)], { 'a.ts': theirs }, [mine, theirs]],
    [
      'whose hash is that of the file but for line ends',
      [record(mine), record(theirs)],
      { 'a.ts': theirs.replaceAll('\n', '\r\n') },
      [mine, theirs],
    ],
    ['whose base is kept', [record(mine), record(theirs)], { 'a.ts': `${mine}edit\n` }, [theirs]],
    ['whose base is the more similar', [record(mine), record(theirs)], { 'a.ts': `edit\n${theirs}` }, [mine, theirs]],
    [
      'that names where the file is',
      [record(mine), record(theirs, { at: 'b.ts' })],
      { 'b.ts': `${mine}edit\n` },
      [mine, theirs],
    ],
  ])('the one counts %s', (_, records, disk, bases) => {
    expect(pick(records, disk, bases)).toMatchObject({ hash: hashOf(theirs) });
  });

  it('neither of which has a base, the same one counts every time', () => {
    expect(pick([record(mine), record(theirs)], { 'a.ts': 'other\n' }, [])).toBeDefined();
    expect(pick([record(mine), record(mine, { adopted: true })], { 'a.ts': mine }, [])).toHaveProperty('adopted');
  });
});

describe('the bases', () => {
  const contents = ['', 'one\ntwo\r\n', '\uFEFF"quoted" \\ \u2028', '\u0000'].map((content) => encode(content));
  const all = [...contents, Uint8Array.of(0xff, 0xfe, 0x80)];
  const printed = printBases(new Map(all.map((bytes) => [sha256(bytes), bytes])));

  it('are one line for each content, sorted by hash', () => {
    const hashes = linesOf(printed).map((line) => String(JSON.parse(line).hash));
    expect(hashes).toEqual(all.map((bytes) => sha256(bytes)).toSorted());
  });

  it.each([
    ['as printed', printed],
    ['with CRLF', printed.replaceAll('\n', '\r\n')],
    [
      'in another order, and twice',
      linesOf(printed + printed)
        .toReversed()
        .join('\n'),
    ],
    ['with a damaged line before the good one', printed.replaceAll('"text":"', '"text":"x') + printed],
  ])('are read %s', (_, from) => {
    const base = indexBases(from, sha256);
    for (const bytes of all) expect(base(sha256(bytes))).toEqual(bytes);
    expect(base('0'.repeat(64))).toBeUndefined();
  });

  it.each([
    ['was edited', printed.replace('one', 'two')],
    [
      'was cut off',
      linesOf(printed)
        .map((line) => line.slice(0, 80))
        .join('\n'),
    ],
    ['holds no text', printed.replaceAll(/"(?:text|base64)":".*"/g, '"text":7')],
  ])('a line that %s is no base', (_, from) => {
    expect(indexBases(from, sha256)(hashOf('one\ntwo\r\n'))).toBeUndefined();
  });
});
