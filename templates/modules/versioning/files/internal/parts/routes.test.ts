import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unlistedHttp } from '../../test/support/contract.ts';
import { defineVersions } from '../platform/versioning/apiVersions.ts';
import { type TestApi, testApi } from '../platform/versioning/testing.ts';
import { partRoutes } from './routes.ts';

const versions = defineVersions({ strategy: 'path', default: 1, versions: { 1: {}, 2: {} } });
const place = { aisle: 'A', shelf: 12, bin: 3 };

describe('parts', () => {
  let api: TestApi;
  beforeEach(async () => {
    api = await testApi(await unlistedHttp(), versions, (http, versioned) => partRoutes(http, versioned, new Map()));
  });
  afterEach(() => api.http.close());

  const create = (url: string, body: object) => api.http.inject({ method: 'POST', url, body });

  it('are one, whichever version they are created and read in', async () => {
    const created = await create('/v1/parts', { name: 'anchor', place: 'A-12-3' });
    expect(created.statusCode).toBe(201);
    const part = created.json<{ id: string }>();
    expect(part).toEqual({ id: expect.any(String), name: 'anchor', place: 'A-12-3' });
    const other = await api.http.inject(`/v2/parts/${part.id}`);
    expect(other.json()).toEqual({ ...part, place });
    const back = await create('/v2/parts', { name: 'bolt', place });
    expect((await api.http.inject(`/parts/${back.json<{ id: string }>().id}`)).json()).toMatchObject({
      place: 'A-12-3',
    });
  });

  it('are found where Location says, in the version of the request', async () => {
    for (const [url, body] of [
      ['/parts', { name: 'anchor', place: 'A-12-3' }],
      ['/v1/parts', { name: 'anchor', place: 'A-12-3' }],
      ['/v2/parts', { name: 'anchor', place }],
    ] as const) {
      const created = await create(url, body);
      const location = String(created.headers['location']);
      expect(location.startsWith(`${url}/`)).toBe(true);
      expect((await api.http.inject(location)).json()).toEqual(created.json());
    }
  });

  it.each([
    ['/parts', { name: 'anchor', place }],
    ['/v1/parts', { name: 'anchor', place: 'A12-3' }],
    ['/v2/parts', { name: 'anchor', place: 'A-12-3' }],
    ['/v2/parts', { name: 'anchor', place: { ...place, aisle: 'AA' } }],
  ])('%s refuses %j', async (url, body) => {
    expect((await create(url, body)).statusCode).toBe(400);
  });

  it('that are not there are 404', async () => {
    const missing = await api.http.inject('/v2/parts/00000000-0000-4000-8000-000000000000');
    expect([missing.statusCode, missing.json()]).toEqual([404, expect.objectContaining({ code: 'part_not_found' })]);
  });
});
