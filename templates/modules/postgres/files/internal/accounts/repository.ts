import type { Generated, Selectable, Transaction } from 'kysely';
import { notFound } from '../../pkg/errors/index.ts';
import type { Database } from '../platform/postgres/database.ts';
import { type Account, type AccountRepository, assertTransferable } from './domain.ts';

/** The tables of this slice, as `internal/migrations/20261121_accounts.ts` creates them. */
export interface Tables {
  accounts: AccountsTable;
}

interface AccountsTable {
  id: Generated<string>;
  currency: string;
  balance: number;
  opened_at: Generated<Date>;
}

/**
 * @param database with the tables of this slice
 * @returns a repository that uses it
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

    transfer: (debitId, creditId, amount, signal) =>
      transaction(
        async (trx) => {
          const ids = [debitId, creditId];
          const rows = await trx.selectFrom('accounts').selectAll().where('id', 'in', ids).execute();
          const [debit, credit] = ids.map((id) => rows.find((row) => row.id === id));
          if (!debit) throw notFound('account', debitId);
          if (!credit) throw notFound('account', creditId);
          assertTransferable(amount, account(debit), account(credit));
          await add(trx, debitId, -amount);
          await add(trx, creditId, amount);
        },
        // Serializable: what was read is still true at the commit, or the transaction runs again.
        { isolation: 'serializable', ...(signal && { signal }) },
      ),
  };
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
