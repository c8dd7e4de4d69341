import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TestDatabase } from '../platform/postgres/testing.ts';
import type { AccountRepository } from './domain.ts';
import { type Tables, postgresRepository } from './repository.ts';

/**
 * What holds of the repository on every database.
 * @param open opens a fresh one
 */
export function repositorySuite(open: () => Promise<TestDatabase>): void {
  let database: TestDatabase;
  let repository: AccountRepository;

  beforeAll(async () => {
    database = await open();
    repository = postgresRepository(database.tables<Tables>());
  });
  afterAll(() => database.close());

  const openBoth = async (debit: number, credit: number) => {
    const [{ id: debitId }, { id: creditId }] = [
      await repository.open('EUR', debit),
      await repository.open('EUR', credit),
    ];
    const transfer = (amount: number) => repository.transfer(debitId, creditId, amount);
    const balances = async () => [
      (await repository.find(debitId))?.balance,
      (await repository.find(creditId))?.balance,
    ];
    return { transfer, balances, debitId };
  };

  it('finds an account that was opened, and no other', async () => {
    const account = await repository.open('EUR', 1234);
    expect(account).toMatchObject({ currency: 'EUR', balance: 1234 });
    expect(account.openedAt).toBeInstanceOf(Date);
    expect(await repository.find(account.id)).toEqual(account);
    expect(await repository.find(randomUUID())).toBeUndefined();
  });

  it('moves money from one account to another', async () => {
    const { transfer, balances } = await openBoth(100, 5);
    await transfer(30);
    expect(await balances()).toEqual([70, 35]);
  });

  it('moves nothing when the transfer is refused', async () => {
    const { transfer, balances, debitId } = await openBoth(10, 0);
    const { id: dollars } = await repository.open('USD', 0);
    const to = (creditId: string) => repository.transfer(debitId, creditId, 1);
    await expect(transfer(11)).rejects.toMatchObject({ code: 'insufficient_funds', status: 409 });
    await expect(transfer(-1)).rejects.toMatchObject({ code: 'amount_not_positive' });
    await expect(to(dollars)).rejects.toMatchObject({ code: 'currency_mismatch' });
    await expect(to(debitId)).rejects.toMatchObject({ code: 'same_account' });
    await expect(to(randomUUID())).rejects.toMatchObject({ status: 404 });
    expect(await balances()).toEqual([10, 0]);
  });

  it('spends no money twice when many move it at once', async () => {
    const { transfer, balances } = await openBoth(50, 0);
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => transfer(10)));
    const refusals = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    for (const refusal of refusals) {
      expect(refusal).toHaveProperty('code', expect.stringMatching(/^(insufficient_funds|concurrent_change)$/));
    }
    const moved = results.length - refusals.length;
    expect(moved).toBeGreaterThan(0);
    expect(await balances()).toEqual([50 - moved * 10, moved * 10]);
  });

  it('moves nothing when the signal is aborted', async () => {
    const { balances, debitId } = await openBoth(10, 0);
    const { id } = await repository.open('EUR', 0);
    const aborted = AbortSignal.abort(new Error('gone'));
    await expect(repository.transfer(debitId, id, 1, aborted)).rejects.toThrow('gone');
    expect(await balances()).toEqual([10, 0]);
  });
}
