import type { Field } from '../model.ts';
import { boundsOf, parseField } from './fields.ts';
import type { Revision } from './history.ts';
import { capital, type Names, namesOf } from './names.ts';

/** What the contract for gRPC needs to know about a resource. */
export interface ProtoInput {
  readonly names: Names & { readonly plural: Names };
  readonly revisions: readonly Revision[];
  /** All fields. */
  readonly fields: readonly Field[];
  readonly filters: ReadonlySet<string>;
  /** The field that has states. */
  readonly state: string | undefined;
  readonly isChangeable: boolean;
  readonly transitions: readonly { readonly kebab: string }[];
}

interface ProtoField {
  readonly name: string;
  readonly camel: string;
  readonly doc: string;
  /** Name of a scalar type, or full name of a message. */
  readonly type: string;
  readonly label: 'optional' | 'repeated' | '';
  readonly number: number;
}

interface ProtoMessage {
  readonly name: string;
  readonly doc: string;
  readonly fields: readonly ProtoField[];
  /** Numbers and names that fields had before. */
  readonly reserved: { readonly numbers: readonly number[]; readonly names: readonly string[] };
}

const wellKnown = {
  empty: 'google.protobuf.Empty',
  mask: 'google.protobuf.FieldMask',
  value: 'google.protobuf.Value',
  time: 'google.protobuf.Timestamp',
} as const;

/** The file of each type of Google, in the order of the imports. */
const files: Readonly<Record<string, string>> = {
  [wellKnown.empty]: 'empty',
  [wellKnown.mask]: 'field_mask',
  [wellKnown.value]: 'struct',
  [wellKnown.time]: 'timestamp',
};

/**
 * Describes the contract of a resource for gRPC as `api/proto/` has it, and the descriptor of that file as `protoc-gen-es` prints it.
 * @param input the resource
 * @returns the parts of the file in order
 */
export function protoOf(input: ProtoInput) {
  const { names, transitions, isChangeable } = input;
  const { pascal, plural } = names;
  const scope = `${plural.snake}.v1`;
  const own = `${scope}.${pascal}`;
  const entity = entityOf(input);
  const id = field('id', 1, 'string');
  const version = field('version', 2, 'int64', 'The version that the caller has seen; 0 accepts any.');
  const whole = field(names.snake, 1, own);
  const filters = entity.fields
    .filter(({ camel }) => input.filters.has(camel))
    .map((each): ProtoField => ({ ...each, label: 'optional', doc: '' }));
  const paging = [
    field('page_size', 1, 'int32', 'At most 100; 20 by default.'),
    field('page_token', 2, 'string', 'The `next_page_token` of the previous page.'),
    field('order_by', 3, 'string', 'A field, and " desc" for the reverse order; "created_at desc" by default.'),
  ];
  const mask = field('update_mask', 2, wellKnown.mask, 'Without it, the fields that have a value are changed.');
  const verbs = transitions.map(({ kebab }) => ({
    pascal: namesOf(kebab).pascal,
    words: capital(namesOf(kebab).words),
  }));
  const method = (verb: string, words: string, what = pascal, output: string = own, isSafe = false) => {
    const name = verb + what;
    return { name, camel: uncapital(name), doc: `${words}.`, input: `${scope}.${name}Request`, output, isSafe };
  };
  const one = `${names.article} ${names.words}`;
  const list = `List${plural.pascal}`;
  const methods = [
    method('Get', `Get ${one}`, pascal, own, true),
    method('List', `List ${plural.words}`, plural.pascal, `${scope}.${list}Response`, true),
    method('Create', `Create ${one}`),
    ...(isChangeable ? [method('Update', `Change ${one}`)] : []),
    method('Delete', `Delete ${one}`, pascal, wellKnown.empty),
    ...verbs.map((verb) => method(verb.pascal, `${verb.words} ${one}`)),
  ];
  const messages = [
    entity,
    ask(`Get${pascal}Request`, id),
    ask(`${list}Request`, ...paging, ...filters),
    ask(
      `${list}Response`,
      { ...field(plural.snake, 1, own), label: 'repeated' },
      field('next_page_token', 2, 'string', 'Empty on the last page.'),
    ),
    ask(`Create${pascal}Request`, whole),
    ...(isChangeable ? [ask(`Update${pascal}Request`, whole, mask)] : []),
    ask(`Delete${pascal}Request`, id, version),
    ...verbs.map((verb) => ask(`${verb.pascal}${pascal}Request`, id, version)),
  ];
  const used = new Set([...messages.flatMap(({ fields }) => fields.map(({ type }) => type)), wellKnown.empty]);
  const imports = Object.entries(files).flatMap(([type, name]) => (used.has(type) ? [{ type, name }] : []));
  const service = `${pascal}Service`;
  const file = { path: `${plural.snake}/v1/${plural.snake}.proto`, scope, service, imports, messages, methods };
  // `protoc-gen-es` renames what it imports when the file has the same name.
  const taken = new Set([service, ...messages.flatMap(({ name }) => [name, `${name}Schema`])]);
  const local = (name: string): string => (taken.has(name) ? `${name}$1` : name);
  /** A type as the file names it, and as the code does. */
  const codeOf = (type: string) => {
    const name = type.replace(/.*\./, '');
    const isOwn = type.includes('.') && !Object.hasOwn(files, type);
    const code = codeTypes[type] ?? (isOwn ? name : local(name));
    return { short: isOwn ? name : type, code, isMessage: type.includes('.') };
  };
  const typed = messages.map((message) => ({
    ...message,
    // The formatter begins a type that is too wide on its own line, and indents all of it.
    ...laidOut(`export type ${message.name} = Message<'${scope}.${message.name}'> & {`),
    fields: message.fields.map((each) => ({ ...each, ...codeOf(each.type) })),
  }));
  return {
    ...file,
    id: `${plural.snake}_v1_${plural.snake}`,
    messages: typed,
    methods: methods.map((each) => {
      const { short } = codeOf(each.output);
      return { ...each, short, schema: short === wellKnown.empty ? local('EmptySchema') : `${short}Schema` };
    }),
    /** What the code imports from the runtime, as it is named there and here. */
    runtime: ['GenFile', 'GenMessage', 'GenService'].map((name) => ({ name, local: local(name) })),
    types: imports
      .map(({ type }) => type.replace(/.*\./, '').replace(/^Empty$/, 'EmptySchema'))
      .sort()
      .map((name) => ({ name, local: local(name) })),
    message: local('Message'),
    genFile: local('GenFile'),
    genMessage: local('GenMessage'),
    genService: local('GenService'),
    descriptor: base64(fileDescriptor(file)),
  };
}

/** A message of one method. */
function ask(name: string, ...fields: ProtoField[]): ProtoMessage {
  return { name, doc: '', fields, reserved: { numbers: [], names: [] } };
}

function field(name: string, number: number, type: string, doc = ''): ProtoField {
  return { name, camel: namesOf(name).camel, doc, type, label: '', number };
}

/** The message of the resource itself. Its first fields are those that every resource has. */
function entityOf({ names, revisions, fields, state }: ProtoInput): ProtoMessage {
  const { numbers, reserved } = numbersOf(revisions);
  const own = fields.map((each): ProtoField => {
    const { type, label } = wireOf(each);
    const number = numbers.get(each.name)?.number ?? 0;
    return { name: namesOf(each.name).snake, camel: each.name, doc: docOf(each, state), type, label, number };
  });
  return {
    name: names.pascal,
    doc: `${capital(names.article)} ${names.words}.`,
    fields: [
      field('id', 1, 'string', 'Output only.'),
      field(
        'version',
        2,
        'int64',
        'Counts the changes. In a change: the version that the caller has seen; 0 accepts any.',
      ),
      field('created_at', 3, wellKnown.time, 'Output only.'),
      field('updated_at', 4, wellKnown.time, 'Output only.'),
      ...own.sort((a, b) => a.number - b.number),
    ],
    reserved: { ...reserved, names: reserved.names.filter((name) => !own.some((each) => each.name === name)) },
  };
}

/** Follows the history, so that a field keeps its number as long as its type on the wire. A number is never used twice. */
function numbersOf(revisions: readonly Revision[]) {
  let next = 5;
  let numbers = new Map<string, { readonly number: number; readonly text: string; readonly wire: string }>();
  const gone = { numbers: [] as number[], names: new Set<string>() };
  for (const { change: { rename = {}, drop = {} } = {}, fields } of revisions) {
    const isDropped = ([name]: readonly [string, unknown]): boolean => Object.hasOwn(drop, name);
    for (const [name, { number }] of [...numbers].filter(isDropped)) {
      gone.numbers.push(number);
      gone.names.add(namesOf(name).snake);
    }
    const before = new Map(
      [...numbers]
        .filter((each) => !isDropped(each))
        .map(([name, each]) => [Object.hasOwn(rename, name) ? rename[name] : name, each]),
    );
    numbers = new Map(
      Object.entries(fields).map(([name, text]) => {
        const known = before.get(name);
        if (known?.text === text) return [name, known];
        const { type, label } = wireOf(parseField(name, text));
        // On the wire, an int32 is an int64: other bounds of an int are no other field.
        const wire = `${label === 'repeated' ? 'repeated ' : ''}${type.replace('int32', 'int64')}`;
        if (known?.wire === wire) return [name, { ...known, text }];
        if (known !== undefined) gone.numbers.push(known.number);
        next += 1;
        return [name, { number: next - 1, text, wire }];
      }),
    );
  }
  return { numbers, reserved: { numbers: gone.numbers.sort((a, b) => a - b), names: [...gone.names].sort() } };
}

const [leastInt32, greatestInt32] = [-(2 ** 31), 2 ** 31 - 1];

/** Types of fields that are no text. An enum is a text: a caller of an older contract gets a new value as it is. */
const types: Readonly<Partial<Record<Field['type'], string>>> = {
  bigint: 'int64',
  boolean: 'bool',
  datetime: wellKnown.time,
  json: wellKnown.value,
};

function wireOf(given: Field): Pick<ProtoField, 'type' | 'label'> {
  const { type, list, optional } = given;
  const { least, greatest } = boundsOf(given);
  const isSmall = !list && Number(least ?? -Infinity) >= leastInt32 && Number(greatest ?? Infinity) <= greatestInt32;
  const single = optional || given.default !== undefined ? 'optional' : '';
  return {
    type: type === 'int' ? (isSmall ? 'int32' : 'int64') : (types[type] ?? 'string'),
    label: list ? 'repeated' : single,
  };
}

/** What a caller cannot see from the type. */
function docOf({ name, type, values = [], target, private: isPrivate }: Field, state: string | undefined): string {
  const forms: Readonly<Partial<Record<Field['type'], string>>> = {
    date: 'A date, such as 2026-01-02.',
    decimal: 'A decimal number, such as 12.5.',
    enum: `One of ${values.join(', ')}.`,
    ref: `The id of another resource: ${namesOf(target ?? '').words}.`,
    uuid: 'A UUID.',
  };
  return [name === state ? 'Output only.' : [], isPrivate ? 'Input only.' : [], forms[type] ?? []].flat().join(' ');
}

const codeTypes: Readonly<Record<string, string>> = {
  string: 'string',
  int32: 'number',
  int64: 'bigint',
  bool: 'boolean',
};

function laidOut(line: string) {
  const isWide = line.length > 120;
  return { isWide, indent: isWide ? '  ' : '' };
}

function uncapital(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** A message of protobuf: numbers of fields, and their values. */
type Wire = readonly (readonly [number: number, value: number | string | Wire])[];

/** Numbers of types and labels: https://protobuf.com/docs/descriptors */
const scalars: Readonly<Record<string, number>> = { int64: 3, int32: 5, bool: 8, string: 9 };
const messageType = 11;
const labels = { '': 1, optional: 1, repeated: 3 };
const noSideEffects: Wire = [[34, 1]];

interface ProtoFile {
  readonly path: string;
  readonly scope: string;
  readonly service: string;
  readonly messages: readonly ProtoMessage[];
  readonly methods: readonly (Readonly<Record<'name' | 'input' | 'output', string>> & { readonly isSafe: boolean })[];
}

/** A FileDescriptorProto. The runtime gets its imports from the code, and they are not printed there. */
function fileDescriptor({ path, scope, service, messages, methods }: ProtoFile): Wire {
  const served = methods.map(({ name, input, output, isSafe }): Wire => [
    ...([
      [1, name],
      [2, `.${input}`],
      [3, `.${output}`],
    ] as const),
    ...(isSafe ? [[4, noSideEffects] as const] : []),
  ]);
  return [
    ...([
      [1, path],
      [2, scope],
    ] as const),
    ...messages.map((message) => [4, messageDescriptor(message)] as const),
    [6, [[1, service], ...served.map((method) => [2, method] as const)]],
    [12, 'proto3'],
  ];
}

/** A DescriptorProto. */
function messageDescriptor({ name, fields, reserved }: ProtoMessage): Wire {
  const optional = fields.filter(({ label }) => label === 'optional');
  const described = fields.map((each): Wire => {
    const { type, label } = each;
    const typed: Wire = type.includes('.')
      ? [
          [5, messageType],
          [6, `.${type}`],
        ]
      : [[5, scalars[type] ?? 0]];
    const at = optional.indexOf(each);
    const presence: Wire =
      at === -1
        ? []
        : [
            [9, at],
            [17, 1],
          ];
    return [[1, each.name], [3, each.number], [4, labels[label]], ...typed, ...presence];
  });
  return [
    [1, name],
    ...described.map((each) => [2, each] as const),
    ...optional.map((each) => [8, [[1, `_${each.name}`]]] as const),
    ...reserved.numbers.map(
      (number) =>
        [
          9,
          [
            [1, number],
            [2, number + 1],
          ],
        ] as const,
    ),
    ...reserved.names.map((each) => [10, each] as const),
  ];
}

function base64(message: Wire): string {
  return btoa(encoded(message)).replace(/=+$/, '');
}

/** Returns a character for each byte. All texts of a descriptor are ASCII. */
function encoded(message: Wire): string {
  let bytes = '';
  for (const [number, value] of message) {
    if (typeof value === 'number') {
      bytes += varint(number * 8) + varint(value);
    } else {
      const inner = typeof value === 'string' ? value : encoded(value);
      bytes += varint(number * 8 + 2) + varint(inner.length) + inner;
    }
  }
  return bytes;
}

function varint(value: number): string {
  if (value < 128) return String.fromCharCode(value);
  return String.fromCharCode((value % 128) + 128) + varint(Math.floor(value / 128));
}
