import { Cursor, itemsOf, printed } from './cursor.ts';
import { statementsOf, type Token } from './tokens.ts';

/** The type of a column. */
export interface ColumnType {
  /** In lower case, without arguments: `character varying`. */
  readonly name: string;
  readonly args: readonly number[];
  readonly isList: boolean;
}

export interface Column {
  type: ColumnType;
  isRequired: boolean;
  /** The expression of the default. */
  default?: readonly Token[];
  /** Whether the database sets the value: `identity` numbers rows, `stored` computes. */
  generated?: 'identity' | 'stored';
}

export interface Reference {
  readonly columns: readonly string[];
  readonly table: string;
  /** Empty: the key of the table. */
  readonly keys: readonly string[];
}

export interface Table {
  readonly name: string;
  readonly columns: Map<string, Column>;
  readonly checks: (readonly Token[])[];
  /** The columns of the primary key. */
  key: readonly string[];
  readonly uniques: (readonly string[])[];
  readonly indexes: (readonly string[])[];
  readonly references: Reference[];
  readonly left: string[];
}

/** What the statements of a schema define. */
export interface Schema {
  readonly tables: Map<string, Table>;
  /** Name of an enum → its values. */
  readonly enums: Map<string, string[]>;
  readonly left: string[];
}

/**
 * Reads the statements that define tables. Statements that define no data are skipped.
 * @param text SQL of PostgreSQL
 * @returns the tables, with what later statements change in them
 * @throws SlipwayError (exit code 2) when the text is no SQL of PostgreSQL
 */
export function schemaOf(text: string): Schema {
  const schema: SchemaReader = new SchemaReader();
  for (const statement of statementsOf(text)) schema.read(statement);
  return schema;
}

/** Actions of `alter table` that change no data. */
const harmless = new Set([
  'owner',
  'enable',
  'disable',
  'attach',
  'cluster',
  'replica',
  'set',
  'reset',
  'no',
  'force',
  'validate',
]);

class SchemaReader implements Schema {
  readonly tables = new Map<string, Table>();
  readonly enums = new Map<string, string[]>();
  readonly left: string[] = [];
  /** Name of a domain → its type and its constraints, which name the value `value`. */
  readonly #domains = new Map<string, readonly Token[]>();

  read(tokens: readonly Token[]): void {
    const cursor = new Cursor(tokens);
    if (cursor.words('alter', 'table')) this.#alterTable(cursor);
    else if (cursor.words('alter', 'type')) this.#alterType(cursor);
    else if (cursor.words('drop', 'table')) {
      cursor.words('if', 'exists');
      for (const one of itemsOf(cursor.upTo('cascade', 'restrict'))) this.tables.delete(new Cursor(one).name() ?? '');
    } else if (cursor.take('create') !== undefined) this.#create(cursor);
  }

  #create(cursor: Cursor): void {
    while (cursor.take('or', 'replace', 'global', 'local', 'unlogged', 'foreign') !== undefined);
    const kind = cursor.next()?.text;
    if (kind === 'table') this.#createTable(cursor);
    else if (kind === 'type') this.#createType(cursor);
    else if (kind === 'domain') {
      const name = cursor.name() ?? '';
      cursor.take('as');
      this.#domains.set(name, cursor.upTo());
    } else if (kind === 'unique' || kind === 'index') {
      if (kind === 'unique') cursor.take('index');
      this.#createIndex(cursor, kind === 'unique');
    } else if (['view', 'materialized', 'trigger', 'constraint', 'rule', 'policy'].includes(kind ?? '')) {
      cursor.take('view', 'trigger');
      cursor.words('if', 'not', 'exists');
      this.left.push(`${kind} ${cursor.name() ?? ''}: it is not taken over`);
    }
  }

  #createTable(cursor: Cursor): void {
    cursor.words('if', 'not', 'exists');
    const name = cursor.name() ?? '';
    // The partitions of a table have its columns.
    if (cursor.words('partition', 'of')) return;
    const elements = cursor.group();
    if (elements === undefined) {
      this.left.push(`table ${name}: its columns are not written out`);
      return;
    }
    const table: Table = {
      ...{ name, columns: new Map(), checks: [], key: [], uniques: [], indexes: [], references: [], left: [] },
    };
    if (this.tables.has(name)) this.left.push(`table ${name}: there is another of this name in another schema`);
    else this.tables.set(name, table);
    for (const element of itemsOf(elements))
      if (!this.#constraint(table, new Cursor(element))) this.#column(table, new Cursor(element));
    if (cursor.words('inherits'))
      table.left.push(`${name}: the columns of ${printed(cursor.group() ?? [])} are not taken over`);
  }

  #createType(cursor: Cursor): void {
    const name = cursor.name() ?? '';
    if (!cursor.words('as', 'enum')) return;
    const values = (cursor.group() ?? []).filter(({ kind }) => kind === 'string');
    this.enums.set(
      name,
      values.map(({ text }) => text),
    );
  }

  #alterType(cursor: Cursor): void {
    const values = this.enums.get(cursor.name() ?? '');
    const last = cursor.words('add', 'value') ? cursor.upTo('before', 'after').at(-1) : undefined;
    if (values === undefined || last?.kind !== 'string') return;
    const side = cursor.take('before', 'after');
    const at =
      side === undefined ? values.length : values.indexOf(cursor.next()?.text ?? '') + (side === 'after' ? 1 : 0);
    values.splice(Math.max(0, at), 0, last.text);
  }

  #createIndex(cursor: Cursor, isUnique: boolean): void {
    cursor.take('concurrently');
    cursor.words('if', 'not', 'exists');
    const name = cursor.isAt('on') ? 'an index' : `index ${cursor.name() ?? ''}`;
    cursor.take('on');
    cursor.take('only');
    const table = this.tables.get(cursor.name() ?? '');
    if (table === undefined) return;
    const using = cursor.take('using') === undefined ? 'btree' : cursor.name();
    const columns = itemsOf(cursor.group() ?? []).map((item) => {
      const part = new Cursor(item);
      const column = part.name() ?? '';
      while (part.take('asc', 'desc', 'nulls', 'first', 'last') !== undefined);
      return part.isAtEnd() && table.columns.has(column) ? column : undefined;
    });
    const [column] = columns;
    cursor.upTo('where');
    if (columns.length !== 1 || column === undefined || cursor.isAt('where') || (using !== 'btree' && using !== 'hash'))
      table.left.push(`${table.name}: ${isUnique ? 'the unique ' : ''}${name} is not of one whole column`);
    else (isUnique ? table.uniques : table.indexes).push([column]);
  }

  #alterTable(cursor: Cursor): void {
    cursor.words('if', 'exists');
    cursor.take('only');
    const name = cursor.name() ?? '';
    const table = this.tables.get(name);
    if (table === undefined) return;
    if (cursor.words('rename', 'to')) {
      const to = cursor.name() ?? '';
      this.tables.delete(name);
      this.tables.set(to, { ...table, name: to });
      return;
    }
    for (const action of itemsOf(cursor.upTo())) this.#alter(table, new Cursor(action), action);
  }

  #alter(table: Table, cursor: Cursor, action: readonly Token[]): void {
    const kind = cursor.next()?.text ?? '';
    if (kind === 'add') {
      if (this.#constraint(table, cursor)) return;
      cursor.take('column');
      cursor.words('if', 'not', 'exists');
      this.#column(table, cursor);
      return;
    }
    cursor.take('column');
    cursor.words('if', 'exists');
    const isConstraint = cursor.isAt('constraint');
    const name = cursor.name() ?? '';
    const column = table.columns.get(name);
    if (harmless.has(kind)) return;
    if (kind === 'drop' && column !== undefined && !isConstraint) table.columns.delete(name);
    else if (kind === 'rename' && column !== undefined && cursor.take('to') !== undefined) {
      table.columns.delete(name);
      table.columns.set(cursor.name() ?? '', column);
    } else if (kind === 'alter' && column !== undefined) this.#alterColumn(column, cursor);
    else table.left.push(`${table.name}: "${printed(action)}" is not taken over`);
  }

  #alterColumn(column: Column, cursor: Cursor): void {
    if (cursor.words('set', 'default')) column.default = cursor.upTo();
    else if (cursor.words('drop', 'default')) delete column.default;
    else if (cursor.words('set', 'not', 'null')) column.isRequired = true;
    else if (cursor.words('drop', 'not', 'null')) column.isRequired = false;
    else if (cursor.words('add', 'generated')) column.generated = 'identity';
    else if (cursor.words('set', 'data', 'type') || cursor.words('type')) column.type = typeOf(cursor);
  }

  /** Reads a constraint of a table. Returns whether it is one. */
  #constraint(table: Table, cursor: Cursor): boolean {
    if (cursor.words('constraint')) cursor.name();
    if (cursor.words('primary', 'key')) table.key = namesIn(cursor.group());
    else if (cursor.words('foreign', 'key')) this.#reference(table, namesIn(cursor.group()), cursor);
    else if (cursor.isAt('check')) {
      cursor.next();
      table.checks.push(cursor.group() ?? []);
    } else if (cursor.isAt('unique')) {
      cursor.next();
      cursor.words('nulls', 'not', 'distinct');
      table.uniques.push(namesIn(cursor.group()));
    } else if (cursor.words('exclude', 'using') || cursor.isAt('like'))
      table.left.push(`${table.name}: "${printed(cursor.upTo())}" is not taken over`);
    else return false;
    return true;
  }

  #reference(table: Table, columns: readonly string[], cursor: Cursor): void {
    cursor.take('references');
    const target = cursor.name() ?? '';
    table.references.push({ columns, table: target, keys: namesIn(cursor.group()) });
  }

  #column(table: Table, cursor: Cursor): void {
    const name = cursor.name();
    if (name === undefined) return;
    const type = typeOf(cursor);
    const domain = this.#domains.get(type.name);
    const column: Column = { type, isRequired: false };
    table.columns.set(name, column);
    if (domain !== undefined) {
      const base = new Cursor(
        domain.map((token) => (token.kind === 'word' && token.text === 'value' ? { kind: 'name', text: name } : token)),
      );
      column.type = { ...typeOf(base), isList: type.isList };
      this.#columnConstraints(table, name, column, base);
    }
    this.#columnConstraints(table, name, column, cursor);
  }

  #columnConstraints(table: Table, name: string, column: Column, cursor: Cursor): void {
    while (!cursor.isAtEnd()) {
      if (cursor.words('constraint')) cursor.name();
      else if (cursor.words('not', 'null')) column.isRequired = true;
      else if (cursor.words('primary', 'key')) table.key = [name];
      else if (cursor.words('unique')) table.uniques.push([name]);
      else if (cursor.words('check')) table.checks.push(cursor.group() ?? []);
      else if (cursor.isAt('references')) this.#reference(table, [name], cursor);
      else if (cursor.words('default'))
        column.default = cursor.upTo(
          'constraint',
          'not',
          'null',
          'primary',
          'unique',
          'check',
          'references',
          'generated',
          'collate',
        );
      else if (cursor.words('generated')) {
        cursor.upTo('identity', 'stored', 'virtual');
        column.generated = cursor.isAt('identity') ? 'identity' : 'stored';
      } else cursor.next();
    }
  }
}

/** Names of types of more than one word. */
const longTypes = [
  ['double', 'precision'],
  ['character', 'varying'],
  ['char', 'varying'],
  ['bit', 'varying'],
  ['national', 'character', 'varying'],
  ['national', 'character'],
];

function typeOf(cursor: Cursor): ColumnType {
  const long = longTypes.find((words) => cursor.words(...words));
  let name = long?.join(' ') ?? cursor.name() ?? '';
  const args = itemsOf(cursor.isAt('(') ? (cursor.group() ?? []) : []).map((item) =>
    Number(item.map(({ text }) => text).join('')),
  );
  if (cursor.words('with', 'time', 'zone')) name += 'tz';
  else cursor.words('without', 'time', 'zone');
  let isList = cursor.words('array');
  while (cursor.isAt('[')) {
    isList = true;
    cursor.group();
  }
  return { name, args, isList };
}

function namesIn(tokens: readonly Token[] = []): string[] {
  return itemsOf(tokens).map((item) => new Cursor(item).name() ?? '');
}
