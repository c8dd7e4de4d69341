import { describe, expect, it } from 'vitest';
import { buildCatalogue } from '../../templates/build.ts';
import { serviceOfPreset, weightOf } from '../helpers/weight.ts';

const catalogue = await buildCatalogue();

/** The most that a service may weigh. */
const budgets = {
  minimal: { files: 62, lines: 2667, testLines: 48 },
  default: { files: 132, lines: 4536, testLines: 278 },
} as const;

describe('the weight of a fresh service', () => {
  it.each(Object.entries(budgets))('of the preset %s is within its budget', (name, budget) => {
    const preset = catalogue.presets[name] ?? expect.fail();
    const { files, lines, testLines } = weightOf(serviceOfPreset(preset, catalogue));
    expect(files).toBeLessThanOrEqual(budget.files);
    expect(lines).toBeLessThanOrEqual(budget.lines);
    expect(testLines).toBeLessThanOrEqual(budget.testLines);
  });

  it('counts what is there: files, code and tests apart', () => {
    const bytes = (text: string) =>
      ({ bytes: new TextEncoder().encode(text), mode: 0o644, ownership: 'merged', module: 'base' }) as const;
    const files = new Map([
      ['a.ts', bytes('/**\n * One.\n */\n1;\n\n// Two.\n2;\n')],
      ['a.test.ts', bytes('// One.\n1;\n')],
      ['list.gen.ts', bytes('1;\n')],
      ['README.md', bytes('# A\n')],
      ['.slipway/manifest.schema.json', bytes('{}\n')],
    ]);
    expect(weightOf(files)).toEqual({ files: 4, lines: 2, allLines: 7, testLines: 1 });
  });
});
