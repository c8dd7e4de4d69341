import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { documentOf, sectionsOf } from '../../bench/document.ts';

describe('docs/performance.md', () => {
  const before = readFileSync('docs/performance.md', 'utf8');
  const sections = sectionsOf(before);
  const titles = [...sections.keys()];

  it('is written as it was when nothing was measured', () => {
    expect(titles.length).toBeGreaterThan(3);
    expect(documentOf(titles, sections, new Map())).toBe(before);
  });

  it('gets the sections that were measured, in their place, and keeps the others', () => {
    const [first = '', second = '', ...rest] = titles;
    const after = sectionsOf(
      documentOf(
        [first, 'New', second],
        sections,
        new Map([
          [first, 'A'],
          ['New', 'B'],
        ]),
      ),
    );
    expect([...after]).toEqual([
      [first, 'A'],
      ['New', 'B'],
      [second, sections.get(second)],
    ]);
    expect(rest.some((title) => after.has(title))).toBe(false);
  });
});
