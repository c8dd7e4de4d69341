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
    const order = (amount: number) => ({ id: randomUUID(), debitId, creditId, amount });
    const balances = async () => [
      (await repository.find(debitId))?.balance,
      (await repository.find(creditId))?.balance,
    ];
    return { order, balances, debitId };
  };

  it('finds an account that was opened, and no other', async () => {
    const account = await repository.open('EUR', 1234);
    expect(account).toMatchObject({ currency: 'EUR', balance: 1234 });
    expect(account.openedAt).toBeInstanceOf(Date);
    expect(await repository.find(account.id)).toEqual(account);
    expect(await repository.find(randomUUID())).toBeUndefined();
  });

  it('moves money from one account to another', async () => {
    const { order, balances } = await openBoth(100, 5);
    const thirty = order(30);
    const made = await repository.transfer(thirty);
    expect(made).toMatchObject(thirty);
    expect(made.madeAt).toBeInstanceOf(Date);
    expect(await balances()).toEqual([70, 35]);
  });

  it('carries out once what is ordered twice, and refuses another order of the same id', async () => {
    const { order, balances } = await openBoth(100, 0);
    const forty = order(40);
    expect(await repository.transfer(forty)).toEqual(await repository.transfer(forty));
    await expect(repository.transfer({ ...forty, amount: 41 })).rejects.toMatchObject({ code: 'transfer_id_reused' });
    expect(await balances()).toEqual([60, 40]);
  });

  it('moves nothing when the order cannot be carried out', async () => {
    const { order, balances, debitId } = await openBoth(10, 0);
    const { id: dollars } = await repository.open('USD', 0);
    await expect(repository.transfer(order(11))).rejects.toMatchObject({ code: 'insufficient_funds', status: 409 });
    await expect(repository.transfer(order(-1))).rejects.toMatchObject({ code: 'amount_not_positive' });
    await expect(repository.transfer({ ...order(1), creditId: dollars })).rejects.toMatchObject({
      code: 'currency_mismatch',
    });
    await expect(repository.transfer({ ...order(1), creditId: debitId })).rejects.toMatchObject({
      code: 'same_account',
    });
    await expect(repository.transfer({ ...order(1), creditId: randomUUID() })).rejects.toMatchObject({ status: 404 });
    expect(await balances()).toEqual([10, 0]);
  });

  it('spends no money twice when many move it at once', async () => {
    const { order, balances } = await openBoth(50, 0);
    const orders = Array.from({ length: 8 }, () => order(10));
    const results = await Promise.allSettled(orders.map((each) => repository.transfer(each)));
    const refusals = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    for (const refusal of refusals) {
      expect(refusal).toHaveProperty('code', expect.stringMatching(/^(insufficient_funds|concurrent_change)$/));
    }
    const moved = orders.length - refusals.length;
    expect(moved).toBeGreaterThan(0);
    expect(await balances()).toEqual([50 - moved * 10, moved * 10]);
  });

  it('moves nothing once the caller has gone', async () => {
    const { order, balances } = await openBoth(10, 0);
    await expect(repository.transfer(order(1), AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
    expect(await balances()).toEqual([10, 0]);
  });
}
