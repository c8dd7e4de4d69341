import {
  type DescMessage,
  type MessageInitShape,
  create,
  createFileRegistry,
  fromBinary,
  toBinary,
} from '@bufbuild/protobuf';
import {
  type FieldDescriptorProto_Label as Label,
  type FieldDescriptorProto_Type as Kind,
  FileDescriptorProtoSchema,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
} from '@bufbuild/protobuf/wkt';
import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { patchOf } from '../../../pkg/resource/index.ts';
import { acceptedVersion, changesOf, fieldsOf, idOf, messageOf, pageOf } from './grpc.ts';

// Numbers of https://protobuf.com/docs/descriptors
const [int64, text, message, repeated] = [3, 9, 11, 3];

const file = create(FileDescriptorProtoSchema, {
  name: 'test/thing.proto',
  package: 'test',
  syntax: 'proto3',
  dependency: [file_google_protobuf_struct.proto.name, file_google_protobuf_timestamp.proto.name],
  messageType: [
    {
      name: 'Thing',
      field: [
        field('id', 1, text),
        field('count', 2, int64),
        field('all_counts', 3, int64, '', repeated),
        field('labels', 4, text, '', repeated),
        field('meta', 5, message, '.google.protobuf.Value'),
        field('placed_at', 6, message, '.google.protobuf.Timestamp'),
        { ...field('note', 7, text), proto3Optional: true, oneofIndex: 0 },
      ],
      oneofDecl: [{ name: '_note' }],
    },
  ],
});

function field(name: string, number: number, type: Kind, typeName = '', label: Label = 1) {
  const jsonName = name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  return { name, jsonName, number, type, label, ...(typeName === '' ? {} : { typeName }) };
}

const known = { [file_google_protobuf_struct.proto.name]: file_google_protobuf_struct };
const registry = createFileRegistry(file, (name) => known[name] ?? file_google_protobuf_timestamp);
const schema = registry.getMessage('test.Thing');
if (schema === undefined) throw new Error('the contract has a Thing');
const thing = (init: MessageInitShape<DescMessage>) => create(schema, init);

const New = Type.Object({
  count: Type.Integer({ minimum: 1 }),
  allCounts: Type.Array(Type.Integer()),
  labels: Type.Optional(Type.Array(Type.String())),
  meta: Type.Optional(Type.Unknown()),
  placedAt: Type.Optional(Type.String({ format: 'date-time' })),
  note: Type.Optional(Type.String({ minLength: 1 })),
});
const fields = ['count', 'labels', 'meta', 'note'] as const;
const changes = patchOf({ $id: 'Changes', description: 'Changes', of: New, fields });

const refused = (pointer: string): unknown =>
  expect.objectContaining({ status: 400, details: { errors: [expect.objectContaining({ pointer })] } });

describe('a message', () => {
  const entity = { count: 2 ** 40, allCounts: [1], labels: ['a'], meta: { a: [null, 1] }, note: 'b' };
  const placedAt = '2026-01-02T03:04:05.678Z';

  it('has the values of its entity, and none that is hidden or unknown', () => {
    const made = messageOf(schema, { ...entity, placedAt, secret: 1, other: undefined }, ['note', 'secret']);
    const { note: _, ...shown } = { ...entity, placedAt };
    expect(fieldsOf(schema, made, New)).toEqual(shown);
  });

  it('without a value of an optional field or of an optional list leaves it out', () => {
    expect(fieldsOf(schema, thing({ count: 1n }), New)).toEqual({ count: 1, allCounts: [] });
  });

  it('carries the deepest JSON that a field may have', () => {
    let meta: unknown = 1;
    for (let level = 0; level < 32; level += 1) meta = { a: meta };
    const bytes = toBinary(schema, messageOf(schema, { ...entity, meta }, []));
    expect(fieldsOf(schema, fromBinary(schema, bytes), New)).toMatchObject({ meta });
  });

  it('that breaks a rule is refused, and the error names the field', () => {
    expect(() => fieldsOf(schema, undefined, New)).toThrow(refused('/count'));
    expect(() => fieldsOf(schema, thing({ count: 2n ** 60n }), New)).toThrow(refused('/count'));
    expect(() => fieldsOf(schema, thing({ count: 1n, note: '' }), New)).toThrow(refused('/note'));
  });

  it.each([{ meta: {} }, { placedAt: { seconds: 2n ** 60n } }])('without a form in JSON is refused: %o', (value) => {
    const malformed = expect.objectContaining({ code: 'message_malformed', status: 400 });
    expect(() => fieldsOf(schema, thing({ count: 1n, ...value }), New)).toThrow(malformed);
  });
});

describe('a field mask', () => {
  const given = thing({ count: 2n, note: 'b', allCounts: [1n] });
  const read = (...paths: readonly string[]) => changesOf(schema, given, paths, { all: New, changes });

  it('names the fields that change; one without a value is removed', () => {
    expect(read('note', 'labels')).toEqual({ note: 'b', labels: null });
    expect(read()).toEqual({ count: 2, note: 'b' });
    expect(read('*')).toEqual({ count: 2, labels: null, meta: null, note: 'b' });
    expect(changesOf(schema, undefined, undefined, { all: New, changes })).toEqual({});
    const hidden = ['labels', 'note'];
    expect(changesOf(schema, given, ['*'], { all: New, changes, hidden })).toEqual({ count: 2, meta: null, note: 'b' });
  });

  it.each([
    ['all_counts', '/allCounts'],
    ['other', '/other'],
    ['meta.a', '/meta.a'],
    ['__proto__', '/__proto__'],
  ])('with %s, which may not change, is refused', (path, pointer) => {
    expect(() => read(path)).toThrow(refused(pointer));
  });
});

it('an id is a UUID, and version 0 stands for any', () => {
  const id = '5f0c3b1e-8f0e-4a66-9b8e-3c1d2e4f5a6b';
  expect([idOf({ id }), acceptedVersion(0n), acceptedVersion(3n)]).toEqual([id, undefined, [3]]);
  expect(() => idOf({ id: '7' })).toThrow(refused('/id'));
  expect(() => idOf()).toThrow(refused('/id'));
});

describe('a list', () => {
  const row = { id: '5f0c3b1e-8f0e-4a66-9b8e-3c1d2e4f5a6b', version: 1, createdAt: '', updatedAt: '', placedAt: '1' };
  const list = async ({ limit }: { readonly limit: number }) => Array.from({ length: limit }, () => row);
  const ask = (pageSize: number, orderBy = '', pageToken = '') =>
    pageOf({ pageSize, pageToken, orderBy }, ['createdAt', 'placedAt'], {}, list);

  it('has 20 entities on a page, or as many as the caller asks for, up to 100', async () => {
    const sizes = await Promise.all([0, 1, 1000].map(async (size) => (await ask(size)).items.length));
    expect(sizes).toEqual([20, 1, 100]);
    await expect(ask(-1)).rejects.toEqual(refused('/page_size'));
  });

  it('is ordered by a field of the contract; a token belongs to one order', async () => {
    const { nextPageToken } = await ask(1, ' placed_at  desc ');
    await ask(1, 'placed_at desc', nextPageToken);
    await expect(ask(1, 'placed_at asc', nextPageToken)).rejects.toMatchObject({ code: 'invalid_cursor' });
    for (const order of ['placedAt', 'note', 'placed_at down', 'placed_at, created_at'])
      await expect(ask(1, order)).rejects.toEqual(refused('/order_by'));
  });
});
