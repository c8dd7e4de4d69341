import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { addModules } from '../../../generators/engine/edit.ts';
import { newManifest } from '../../../generators/engine/manifest.ts';
import { lockPath } from '../../../generators/engine/reconcile/lock.ts';
import { render } from '../../../generators/engine/render.ts';
import { lockIn, lockText } from '../../helpers/store.ts';
import { applyTo, commandsWith, type Tree } from '../../helpers/memoryService.ts';
import { sampleModule } from '../../helpers/sampleModule.ts';
import { tinyCatalogue } from '../../helpers/tinyCatalogue.ts';

const tiny = tinyCatalogue();
const { create, add, remove, reconcile } = commandsWith(tiny);
const contractPath = 'api/openapi.json';
const clientPath = 'pkg/client/contract.gen.ts';

function textIn(tree: Tree, path: string): string {
  return new TextDecoder().decode(tree.get(path)?.bytes);
}

function contractIn(tree: Tree) {
  return JSON.parse(textIn(tree, contractPath));
}

function withFile(tree: Tree, path: string, text: string): Tree {
  return new Map([...tree, [path, { bytes: new TextEncoder().encode(text), mode: 0o644 }]]);
}

/** Slipway's word on a tree, and the tree afterwards. */
function after(tree: Tree, ids: readonly string[]): Tree {
  const { entries, changes } = add(tree, ids);
  expect(entries.filter(({ action }) => action === 'conflict')).toEqual([]);
  return applyTo(tree, changes);
}

describe('openapi.json', () => {
  it('joins what the modules say by key, and lists as sets', () => {
    expect(contractIn(create(['database', 'cache']))).toEqual({
      openapi: '3.1.0',
      info: { title: 'orders', version: '1.0.0' },
      security: [{ key: [] }],
      paths: {
        '/accounts': { get: expect.objectContaining({ operationId: 'listAccounts' }) },
        '/items': {
          get: {
            operationId: 'listItems',
            responses: {
              200: { description: 'OK' },
              503: { description: 'No database' },
              default: { description: 'Problem' },
            },
          },
        },
      },
      components: {
        schemas: { Account: { type: 'object' }, Item: { type: 'object', description: 'An item' } },
        securitySchemes: { key: { type: 'apiKey', name: 'key', in: 'header' } },
      },
    });
  });

  it.each([
    ['a text', { info: { version: '2.0.0' } }, 'info → version'],
    ['an object', { components: { schemas: { Item: 'text' } } }, 'components → schemas → Item'],
  ])('is refused when two modules disagree on %s: both are named', (_, contract, place) => {
    const catalogue = { ...tiny, modules: { ...tiny.modules, other: sampleModule('other', { contract }) } };
    const manifest = addModules(newManifest({ name: 'orders' }, catalogue), ['other'], catalogue);
    expect(() => render(manifest, catalogue)).toThrow(
      `modules "base" and "other" disagree on ${place} of api/openapi.json`,
    );
  });

  it('is not there when no module says anything', () => {
    const { contract: _, ...base } = tiny.base;
    const catalogue = { ...tiny, base, modules: {} };
    const files = render(newManifest({ name: 'orders' }, catalogue), catalogue);
    expect([files.has(contractPath), files.has(clientPath)]).toEqual([false, false]);
  });
});

describe('a contract that the user has changed', () => {
  const fresh = create([]);
  const document = contractIn(fresh);
  const own = { get: { operationId: 'mine', responses: { 200: { description: 'Mine' } } } };
  const { '/items': _, ...others } = document.paths;
  const mine = { ...document, info: { ...document.info, version: '1.1.0' }, paths: { ...others, '/mine': own } };
  const edited = withFile(fresh, contractPath, JSON.stringify(mine, null, 2));

  it('keeps what he wrote and left out, whatever modules say of it, and gets what they say besides', () => {
    const joined = contractIn(after(edited, ['database', 'cache']));
    expect(joined.info.version).toBe('1.1.0');
    expect(Object.keys(joined.paths)).toEqual(['/accounts', '/mine']);
    expect(joined.security).toEqual([{ key: [] }]);
  });

  it('is no conflict: of what both have changed, his is right', () => {
    const secured = withFile(edited, contractPath, JSON.stringify({ ...mine, security: [{ mine: [] }] }));
    const joined = after(secured, ['cache']);
    expect(contractIn(joined).security).toEqual([{ mine: [] }]);
    expect(textIn(applyTo(joined, remove(joined, ['cache']).changes), contractPath)).toBe(
      textIn(secured, contractPath),
    );
  });
});

describe('the client', () => {
  const fresh = create([]);
  const renamed = textIn(fresh, contractPath).replaceAll('listItems', 'listThings');
  const printed = textIn(fresh, clientPath).replaceAll('listItems', 'listThings');
  const edited = withFile(withFile(fresh, contractPath, renamed), clientPath, printed);

  it('follows the contract as it is on disk', () => {
    const joined = after(edited, ['database']);
    expect(textIn(joined, clientPath)).toContain('listThings');
    expect(textIn(joined, clientPath)).toContain('listAccounts');
    const gone = applyTo(joined, remove(joined, ['database']).changes);
    expect(textIn(gone, clientPath)).toBe(printed);
  });

  it('that was printed by the user is no drift', () => {
    expect(reconcile(edited).changes).toEqual([]);
  });

  it.each([
    ['is behind the contract', textIn(fresh, clientPath)],
    ['was written by hand', '// mine\n'],
  ])('stays as it is when it %s: a test of the service tells', (_, text) => {
    const left = withFile(edited, clientPath, text);
    expect(textIn(after(left, ['database']), clientPath)).toBe(text);
  });

  it('stays as it is when the contract is no contract', () => {
    for (const broken of ['<<<<<<< yours', '{}', '[]']) {
      const joined = after(withFile(fresh, contractPath, broken), []);
      expect(textIn(joined, clientPath)).toBe(textIn(fresh, clientPath));
    }
  });

  it('stays away when it was deleted', () => {
    const without = new Map([...fresh].filter(([path]) => path !== clientPath));
    expect(after(without, ['database']).has(clientPath)).toBe(false);
  });

  it('is brought to a service that had none, from its own contract', () => {
    const lock = lockIn(textIn(fresh, lockPath));
    const { [clientPath]: _client, ...files } = lock.files;
    const older = withFile(edited, lockPath, lockText({ ...lock, files }));
    const without = new Map([...older].filter(([path]) => path !== clientPath));
    expect(textIn(after(without, []), clientPath)).toBe(printed);
    // Or is there already.
    expect(add(older, []).entries).toMatchObject([{ path: clientPath, action: 'adopt' }]);
  });

  it('that an earlier Slipway printed otherwise is printed anew', () => {
    const older = '// as it was printed then\n';
    const lock = lockIn(textIn(fresh, lockPath));
    const client = {
      module: 'base',
      ownership: 'derived',
      ...lock.files[clientPath],
      hash: hash('sha256', older),
    } as const;
    const files = { ...lock.files, [clientPath]: client };
    const tree = withFile(withFile(edited, clientPath, older), lockPath, lockText({ ...lock, files }));
    expect(textIn(after(tree, []), clientPath)).toBe(printed);
  });

  it('keeps its line ends', () => {
    const crlf = withFile(fresh, clientPath, textIn(fresh, clientPath).replaceAll('\n', '\r\n'));
    expect(textIn(after(crlf, ['database']), clientPath)).toMatch(/^(?:[^\n]*\r\n)+$/);
  });
});
