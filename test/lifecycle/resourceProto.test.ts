import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import fc from 'fast-check';
import { format } from 'oxfmt';
import { outputFileSync } from 'fs-extra/esm';
import { describe, expect, it } from 'vitest';
import { newManifest } from '../../generators/engine/manifest.ts';
import type { Manifest, Resource } from '../../generators/engine/model.ts';
import { validateManifest } from '../../generators/engine/parseManifest.ts';
import { render } from '../../generators/engine/render.ts';
import { printField } from '../../generators/engine/resources/fields.ts';
import { decode } from '../../generators/engine/text.ts';
import style from '../../templates/base/files/.oxfmtrc.json' with { type: 'json' };
import { buildCatalogue } from '../../templates/build.ts';
import { wideResourceArbitrary } from '../helpers/resources.ts';
import { runs } from '../helpers/runs.ts';

const catalogue = await buildCatalogue();
const { printWidth, singleQuote } = style;
const bin = path.resolve('node_modules/.bin');
const env = { PATH: `${bin}${path.delimiter}${process.env['PATH']}` };

type Resources = NonNullable<Manifest['resources']>;

/** The files of a service that serves these resources by gRPC. */
function filesOf(resources: Resources): ReadonlyMap<string, string> {
  const manifest = { ...newManifest({ name: 'shop', modules: ['grpc'] }, catalogue), resources };
  const files = render(validateManifest(manifest, catalogue), catalogue);
  return new Map([...files].map(([file, { bytes }]) => [file, decode(bytes) ?? '']));
}

/** Compares `api/gen` with what `npm run proto` makes of `api/proto`. */
async function expectGenerated(resources: Resources): Promise<void> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'proto-'));
  try {
    const files = filesOf(resources);
    for (const [file, text] of files) if (/^(?:api\/|buf)/.test(file)) outputFileSync(path.join(folder, file), text);
    await execa('buf', ['lint'], { cwd: folder, env });
    await execa('buf', ['generate'], { cwd: folder, env });
    for (const [file, text] of files) {
      if (!file.startsWith('api/gen/')) continue;
      const generated = readFileSync(path.join(folder, file), 'utf8');
      const { code } = await format(file, generated, { printWidth, singleQuote });
      expect(text).toBe(code);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('the contract of a resource for gRPC', () => {
  it('keeps the rules of buf, and its TypeScript is what `npm run proto` prints', async () => {
    await fc.assert(fc.asyncProperty(wideResourceArbitrary(printField), expectGenerated), { numRuns: runs(5) });
  });

  it.each(['message', 'timestamp', 'value', 'field-mask', 'empty', 'gen', 'gen-file', 'google', 'service'])(
    'a resource may have the name %s',
    async (name) => {
      const resource = { plural: `${name}s`, fields: { google: 'string?', meta: 'json' }, created: '20261130' };
      await expectGenerated({ [name]: resource });
    },
  );

  it('gives a field a number for life', async () => {
    const resources: Resources = {
      order: {
        plural: 'orders',
        fields: { code: 'string', amount: 'bigint', total: 'int:min(0):max(10)', late: 'boolean?', note: 'text' },
        created: '20261130',
        changes: {
          '20261201_orders': { rename: { sku: 'code' }, drop: { note: 'string' } },
          '20261202_orders': { add: ['late'], alter: { price: 'decimal', total: 'int:min(0):max(5)' } },
          '20261203_orders': { add: ['note'], rename: { price: 'amount' } },
        },
      },
    };
    const proto = filesOf(resources).get('api/proto/orders/v1/orders.proto');
    const [, message = ''] = /^message Order \{\n([^]*?)^\}/m.exec(proto ?? '') ?? [];
    expect(message.split('\n').filter((line) => !/^ *(?:\/\/|$)|_at = |id = |version = /.test(line))).toEqual([
      '  reserved 5, 6;',
      '  string code = 7;',
      '  int32 total = 8;',
      '  optional bool late = 9;',
      '  int64 amount = 10;',
      '  string note = 11;',
    ]);
    await expectGenerated(resources);
  });

  it.each<[string, Resource, string[]]>([
    [
      'has other bounds',
      {
        ...{ plural: 'orders', fields: { total: 'int:min(0)' }, created: '20261130' },
        changes: { '20261201_orders': { alter: { total: 'int:min(0):max(10)' } } },
      },
      ['  int64 total = 5;'],
    ],
    [
      'takes the name of one that goes',
      {
        ...{ plural: 'orders', fields: { code: 'string' }, created: '20261130' },
        changes: { '20261201_orders': { rename: { alias: 'code' }, drop: { code: 'string' } } },
      },
      ['  reserved 6;', '  string code = 5;'],
    ],
  ])('a field that %s keeps its number', (_, order, expected) => {
    const proto = filesOf({ order }).get('api/proto/orders/v1/orders.proto');
    const [, message = ''] = /^message Order \{\n([^]*?)^\}/m.exec(proto ?? '') ?? [];
    const lines = message.split('\n').filter((line) => !/^ *(?:\/\/|$)|_at = |id = |version = /.test(line));
    expect(lines).toEqual(expected);
  });
});
