import fc from 'fast-check';

/** A JSON object as entries, not as an object: `__proto__` is a key like any other. */
export type Entries = [string, Value][];
type Value = string | number | boolean | null | (string | number)[] | ObjectValue;
interface ObjectValue {
  readonly object: Entries;
}

const key = fc.constantFrom(
  ...['a', 'b', 'c', 'd', 'zod', '@x/y', '__proto__', '$&', 'files', 'dependencies', 'scripts', 'k/~'],
);
const version = fc.constantFrom(
  '^1.0.0',
  '^1.2.0',
  '2.0.0',
  '~2.1.0',
  '>=3',
  '*',
  'latest',
  'workspace:*',
  'file:../x',
);
const leaf = fc.oneof(version, fc.integer(), fc.boolean(), fc.constant(null), fc.string({ maxLength: 3 }));
const list = fc.oneof(
  fc.uniqueArray(fc.constantFrom('x', 'y', 'z', 'w'), { maxLength: 3 }),
  fc.array(fc.integer({ max: 2, min: 0 }), { maxLength: 3 }),
);

/** Small objects whose keys meet often. */
export const entries: fc.Arbitrary<Entries> = fc.letrec<{ value: Value; entries: Entries }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    leaf,
    list,
    tie('entries').map((inside) => ({ object: inside })),
  ),
  entries: fc.uniqueArray(fc.tuple(key, tie('value')), { maxLength: 5, selector: ([name]) => name }),
})).entries;

function isObject(value: Value | undefined): value is ObjectValue {
  return typeof value === 'object' && value !== null && 'object' in value;
}

/** Writes a value as JSON in somebody's own style. */
export type Writer = (value: Entries) => string;

interface Layout {
  readonly step: string;
  readonly endOfLine: string;
  /** Objects and arrays nested this deep stand on one line. */
  readonly inlineFrom: number;
  /** What follows each item, in turn. */
  readonly comments: readonly string[];
  readonly trailingComma: boolean;
  readonly emptyObject: string;
  readonly emptyList: string;
  readonly ending: string;
}

function write(value: Entries, layout: Layout): string {
  let count = 0;
  const print = (part: Value, depth: number): string => {
    if (typeof part !== 'object' || part === null) return JSON.stringify(part);
    const flat = depth >= layout.inlineFrom;
    const [open, close] = isObject(part) ? ['{', '}'] : ['[', ']'];
    const items = isObject(part)
      ? part.object.map(([name, item]) => `${JSON.stringify(name)}: ${print(item, depth + 1)}`)
      : part.map((item) => print(item, depth + 1));
    if (items.length === 0) {
      if (layout.inlineFrom < 9) return `${open}${close}`;
      return isObject(part) ? layout.emptyObject : layout.emptyList;
    }
    if (flat) return isObject(part) ? `{ ${items.join(', ')} }` : `[${items.join(', ')}]`;
    const lines = items.map((item, index) => {
      count += 1;
      const comma = index < items.length - 1 || layout.trailingComma ? ',' : '';
      return `\n${layout.step.repeat(depth + 1)}${item}${comma}${layout.comments[count % layout.comments.length]}`;
    });
    return `${open}${lines.join('')}\n${layout.step.repeat(depth)}${close}`;
  };
  return (print({ object: value }, 0) + layout.ending).replaceAll('\n', layout.endOfLine);
}

const layout: fc.Arbitrary<Layout> = fc.record({
  step: fc.constantFrom('  ', '    ', '\t', ' '),
  endOfLine: fc.constantFrom('\n', '\r\n'),
  inlineFrom: fc.constantFrom(0, 1, 2, 9),
  comments: fc.array(fc.constantFrom('', '', '', ' // why', ' /* so */', '\n// above', '  '), { minLength: 1 }),
  trailingComma: fc.boolean(),
  emptyObject: fc.constantFrom('{}', '{ }', '{\n}', '{ /* so */ }', '{\n  // why\n}', '{ // why\n}', '{\n\n  }'),
  emptyList: fc.constantFrom('[]', '[ ]', '[\n]', '[ // why\n]'),
  ending: fc.constantFrom('', '\n', '\n\n'),
});

const gaps = fc.array(
  fc
    .array(fc.constantFrom('', '', '', ' ', '\n', '\n  ', '\t', '/* so */', '// why\n', '/* a\n b */', '\r', '\r\n'), {
      maxLength: 2,
    })
    .map((parts) => parts.join('')),
  { minLength: 1, maxLength: 25 },
);

/** White space and comments anywhere between two tokens. */
function scatter(value: Entries, between: readonly string[], trailingComma: boolean): string {
  let count = 0;
  const gap = () => {
    count += 1;
    return between[count % between.length] ?? '';
  };
  const print = (part: Value): string => {
    if (typeof part !== 'object' || part === null) return JSON.stringify(part);
    const [open, close] = isObject(part) ? ['{', '}'] : ['[', ']'];
    const items = isObject(part)
      ? part.object.map(([name, item]) => `${gap()}${JSON.stringify(name)}${gap()}:${gap()}${print(item)}${gap()}`)
      : part.map((item) => gap() + print(item) + gap());
    const comma = trailingComma && items.length > 0 ? ',' : '';
    return open + items.join(',') + comma + gap() + close;
  };
  return gap() + print({ object: value }) + gap();
}

/** Tidy layouts of every kind, and wild ones. */
export const writer: fc.Arbitrary<Writer> = fc.oneof(
  layout.map((chosen) => (value: Entries) => write(value, chosen)),
  fc.tuple(gaps, fc.boolean()).map(
    ([between, comma]) =>
      (value: Entries) =>
        scatter(value, between, comma),
  ),
);

/** As Slipway prints it. */
export const printed: Writer = (value) =>
  write(value, {
    step: '  ',
    endOfLine: '\n',
    inlineFrom: 9,
    comments: [''],
    trailingComma: false,
    emptyObject: '{}',
    emptyList: '[]',
    ending: '\n',
  });

/** Adds what a module contributes to what is there; nothing that is there changes. */
export function extend(value: Entries, more: Entries): Entries {
  const result = value.map(([name, part]): [string, Value] => {
    const addition = more.find(([other]) => other === name)?.[1];
    return [name, isObject(part) && isObject(addition) ? { object: extend(part.object, addition.object) } : part];
  });
  return [...result, ...more.filter(([name]) => !value.some(([other]) => other === name))];
}

/** Whether both hold the same, the order of keys aside. */
export function sameValues(some: Entries, other: Entries): boolean {
  const sorted = (value: Entries): unknown =>
    value
      .map(([name, part]): [string, unknown] => [name, isObject(part) ? sorted(part.object) : part])
      .toSorted(([one], [two]) => (one < two ? -1 : 1));
  return JSON.stringify(sorted(some)) === JSON.stringify(sorted(other));
}
