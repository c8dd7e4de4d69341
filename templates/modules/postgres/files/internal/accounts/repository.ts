import type { Generated, Selectable, Transaction } from 'kysely';
import { notFound } from '../../pkg/errors/index.ts';
import type { Database } from '../platform/postgres/database.ts';
import {
  type Account,
  type AccountRepository,
  type Transfer,
  type TransferOrder,
  assertTransferable,
  sameTransfer,
} from './domain.ts';

/** The tables of this slice, as `internal/migrations/20261121_accounts.ts` makes them. */
export interface Tables {
  accounts: AccountsTable;
  transfers: TransfersTable;
}

interface AccountsTable {
  id: Generated<string>;
  currency: string;
  balance: number;
  opened_at: Generated<Date>;
}

interface TransfersTable {
  id: string;
  debit_id: string;
  credit_id: string;
  amount: number;
  made_at: Generated<Date>;
}

/**
 * @param database with the tables of this slice
 * @returns a repository in it
 */
export function postgresRepository({ db, transaction }: Database<Tables>): AccountRepository {
  return {
    async open(currency, balance) {
      const query = db.insertInto('accounts').values({ currency, balance }).returningAll();
      return account(await query.executeTakeFirstOrThrow());
    },

    async find(id) {
      const row = await db.selectFrom('accounts').selectAll().where('id', '=', id).executeTakeFirst();
      return row && account(row);
    },

    // Serializable: what was read is still true at the commit, or else the database refuses it and all runs again.
    transfer: (order, signal) =>
      transaction((trx) => carryOut(trx, order), { isolation: 'serializable', ...(signal && { signal }) }),
  };
}

async function carryOut(trx: Transaction<Tables>, order: TransferOrder): Promise<Transfer> {
  const before = await trx.selectFrom('transfers').selectAll().where('id', '=', order.id).executeTakeFirst();
  if (before) return sameTransfer(order, transfer(before));

  const ids = [order.debitId, order.creditId];
  const rows = await trx.selectFrom('accounts').selectAll().where('id', 'in', ids).execute();
  const find = (id: string): Account => {
    const row = rows.find((candidate) => candidate.id === id);
    if (!row) throw notFound('account', id);
    return account(row);
  };
  assertTransferable(order, find(order.debitId), find(order.creditId));

  await add(trx, order.debitId, -order.amount);
  await add(trx, order.creditId, order.amount);
  const values = { id: order.id, debit_id: order.debitId, credit_id: order.creditId, amount: order.amount };
  return transfer(await trx.insertInto('transfers').values(values).returningAll().executeTakeFirstOrThrow());
}

async function add(trx: Transaction<Tables>, id: string, amount: number): Promise<void> {
  await trx
    .updateTable('accounts')
    .set(({ eb }) => ({ balance: eb('balance', '+', amount) }))
    .where('id', '=', id)
    .execute();
}

function account({ id, currency, balance, opened_at: openedAt }: Selectable<AccountsTable>): Account {
  return { id, currency, balance, openedAt };
}

function transfer(row: Selectable<TransfersTable>): Transfer {
  return { id: row.id, debitId: row.debit_id, creditId: row.credit_id, amount: row.amount, madeAt: row.made_at };
}
