import pg from 'pg';

import { exitCodes, SlipwayError, badInput } from '../engine/errors.ts';
import { codeOf } from './faults.ts';

/** Max time (ms) to connect, and for each statement. */
const patience = 15_000;

/** Max size (characters) of the statements of a database. */
const longest = 10 * 2 ** 20;

/**
 * The statements that define the tables of the search path. The functions of PostgreSQL print them, as they do for pg_dump.
 * https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-CATALOG
 */
const query = `
with relations as (
  select c.oid, c.relname, c.relkind from pg_class c
  where c.relnamespace in (select oid from pg_namespace where nspname = any (current_schemas(false)))
    and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
    and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
), tables as (select oid, relname from relations where relkind in ('r', 'p'))
select text from (
  select 1 as step, t.typname as name, format('create type %I as enum (%s)', t.typname,
    string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder)) as text
    from pg_type t join pg_enum e on e.enumtypid = t.oid group by t.oid, t.typname
  union all
  select 2, t.typname, format('create domain %I as %s%s %s', t.typname, format_type(t.typbasetype, t.typtypmod),
    case when t.typnotnull then ' not null' end,
    (select string_agg(pg_get_constraintdef(o.oid), ' ') from pg_constraint o where o.contypid = t.oid and o.contype = 'c'))
    from pg_type t where t.typtype = 'd' and t.typnamespace <> 'information_schema'::regnamespace
  union all
  select 3, r.relname, format('create table %I (%s)', r.relname, string_agg(format('%I %s%s%s', a.attname,
    format_type(a.atttypid, a.atttypmod), case when a.attnotnull then ' not null' end,
    case when a.attidentity <> '' then ' generated always as identity'
      when a.attgenerated <> '' then ' generated always as (' || pg_get_expr(d.adbin, d.adrelid) || ') stored'
      else ' default ' || pg_get_expr(d.adbin, d.adrelid) end), ', ' order by a.attnum))
    from tables r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum group by r.oid, r.relname
  union all
  select 4, r.relname || o.conname, format('alter table %I add %s', r.relname, pg_get_constraintdef(o.oid))
    from tables r join pg_constraint o on o.conrelid = r.oid and o.contype in ('p', 'u', 'c', 'f', 'x') and o.conparentid = 0
  union all
  select 5, c.relname, pg_get_indexdef(i.indexrelid)
    from tables r join pg_index i on i.indrelid = r.oid join pg_class c on c.oid = i.indexrelid
    where not exists (select from pg_constraint o where o.conindid = i.indexrelid and o.contype in ('p', 'u', 'x'))
  union all
  select 6, relname, format('create view %I', relname) from relations where relkind in ('v', 'm')
  union all
  select 7, r.relname || t.tgname, format('create trigger %I', t.tgname)
    from tables r join pg_trigger t on t.tgrelid = r.oid and not t.tgisinternal
) statements order by step, name collate "C"`;

/**
 * Reads the tables of a live PostgreSQL, in a transaction that cannot write. The tables are those of the search path.
 * @param url of the database: `postgres://user:password@host:5432/name`
 * @returns the SQL that defines its tables
 * @throws SlipwayError (exit code 2) when the text is no such URL; (exit code 1) when the database cannot be read. No message has
 * the password
 */
export async function sqlOf(url: string): Promise<string> {
  if (!/^postgres(?:ql)?:\/\//.test(url) || !URL.canParse(url))
    throw badInput(
      'the address of the database is no URL of PostgreSQL',
      'write postgres://user:password@host:5432/name',
    );
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: patience, query_timeout: patience });
  // When the connection is lost between two statements, the next statement fails, too.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('begin transaction read only');
    await client.query(`set local statement_timeout = ${patience}`);
    const { rows } = await client.query<{ readonly text: string }>(query);
    const text = rows.map((row) => `${row.text};\n`).join('');
    if (text.length > longest)
      throw badInput('the tables of the database are too many', 'set a search_path with fewer');
    return text;
  } catch (error) {
    if (error instanceof SlipwayError) throw error;
    const place = `${client.host}:${client.port}/${client.database ?? ''}`;
    throw new SlipwayError(exitCodes.failed, `cannot read the database ${place}: ${reasonOf(error)}`, {
      hint: 'give its URL with --from-database, or set DATABASE_URL',
    });
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'no server answers there',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host is not known at the moment',
  '28P01': 'the server refuses the user or the password',
  '28000': 'the server refuses the user',
  '3D000': 'the server has no such database',
};

function reasonOf(error: unknown): string {
  const known = reasons[codeOf(error) ?? ''];
  return known ?? (error instanceof Error && error.message !== '' ? error.message : 'the connection fails');
}
