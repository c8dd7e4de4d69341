import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('accounts')
    .addColumn('id', 'uuid', (column) => column.primaryKey().defaultTo(sql`gen_random_uuid()`))
    .addColumn('currency', 'char(3)', (column) => column.notNull())
    .addColumn('balance', 'bigint', (column) =>
      column
        .notNull()
        .defaultTo(0)
        .check(sql`balance >= 0`),
    )
    .addColumn('opened_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
    .execute();
  await db.schema
    .createTable('transfers')
    .addColumn('id', 'uuid', (column) => column.primaryKey())
    .addColumn('debit_id', 'uuid', (column) => column.notNull().references('accounts.id'))
    .addColumn('credit_id', 'uuid', (column) => column.notNull().references('accounts.id'))
    .addColumn('amount', 'bigint', (column) => column.notNull().check(sql`amount > 0`))
    .addColumn('made_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
    .addCheckConstraint('transfers_two_accounts', sql`debit_id <> credit_id`)
    .execute();
  for (const column of ['debit_id', 'credit_id']) {
    await db.schema.createIndex(`transfers_${column}`).on('transfers').column(column).execute();
  }
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('transfers').execute();
  await db.schema.dropTable('accounts').execute();
}
