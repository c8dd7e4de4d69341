import fc from 'fast-check';
import { format } from 'oxfmt';
import { describe, expect, it } from 'vitest';
import { newManifest } from '../../../../generators/engine/manifest.ts';
import { validateManifest } from '../../../../generators/engine/parseManifest.ts';
import { render } from '../../../../generators/engine/render.ts';
import { withRequired } from '../../../../generators/engine/resolve.ts';
import { printField } from '../../../../generators/engine/resources/fields.ts';
import { decode } from '../../../../generators/engine/text.ts';
import style from '../../../../templates/base/files/.oxfmtrc.json' with { type: 'json' };
import { buildCatalogue } from '../../../../templates/build.ts';
import { wideResourceArbitrary } from '../../../helpers/resources.ts';
import { runs } from '../../../helpers/runs.ts';

const catalogue = await buildCatalogue();
const { printWidth, singleQuote } = style;

/** What modules add to a resource is formatted, too. */
const moduleSets = [
  { ids: [], times: 100 },
  { ids: ['client', 'grpc', 'hal', 'postgres', 'versioning', 'websocket'], times: 30 },
];

/** A short list of columns, which fits into one line. */
const short = { x: { plural: 'xs', fields: { yyaz: 'bigint' }, created: '20261130' } };

describe.each(moduleSets)('the slice of a resource with the modules $ids', ({ ids, times }) => {
  it('is printed as the formatter prints it, with names and values of any length', async () => {
    await fc.assert(
      fc.asyncProperty(wideResourceArbitrary(printField), async (resources) => {
        const manifest = validateManifest(
          { ...newManifest({ name: 'shop', modules: withRequired(ids, catalogue) }, catalogue), resources },
          catalogue,
        );
        for (const [path, { bytes, module }] of render(manifest, catalogue)) {
          if (!module.startsWith('resource:') || !/\.(?:ts|md)$/.test(path)) continue;
          const text = decode(bytes) ?? '';
          const { code, errors } = await format(path, text, { printWidth, singleQuote });
          expect(errors).toEqual([]);
          expect(text).toBe(code);
        }
      }),
      { numRuns: runs(times), examples: [[short]] },
    );
  });
});
