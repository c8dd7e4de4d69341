import { ServiceError } from '../../pkg/errors/index.ts';

/** An account of money. Amounts are whole numbers of the currency's smallest unit: cents, say. */
export interface Account {
  readonly id: string;
  /** ISO 4217. */
  readonly currency: string;
  readonly balance: number;
  readonly openedAt: Date;
}

/** Money to be moved. Its id is chosen by who orders it, so that an order given twice is carried out once. */
export interface TransferOrder {
  readonly id: string;
  readonly debitId: string;
  readonly creditId: string;
  readonly amount: number;
}

/** Money that was moved. */
export interface Transfer extends TransferOrder {
  readonly madeAt: Date;
}

/** Where accounts are kept; each adapter implements it. */
export interface AccountRepository {
  open(currency: string, balance: number): Promise<Account>;
  find(id: string): Promise<Account | undefined>;
  /**
   * Moves money from one account to another: all of it, or nothing.
   * @throws {ServiceError} when an account is missing, or the order cannot be carried out
   */
  transfer(order: TransferOrder, signal?: AbortSignal): Promise<Transfer>;
}

/**
 * @param order what is to be moved
 * @param debit the account that gives
 * @param credit the account that gets
 * @throws {ServiceError} when the order cannot be carried out on these accounts
 */
export function assertTransferable({ amount }: TransferOrder, debit: Account, credit: Account): void {
  if (!Number.isSafeInteger(amount) || amount <= 0) {
    throw refused('amount_not_positive', 'The amount is not a whole number above zero.');
  }
  if (debit.id === credit.id) throw refused('same_account', 'Both accounts are the same.');
  if (debit.currency !== credit.currency)
    throw refused('currency_mismatch', 'The accounts are in different currencies.');
  if (debit.balance < amount) throw refused('insufficient_funds', 'The account does not hold that much.');
}

/**
 * @param order an order with the id of one that was carried out before
 * @param made what was moved then
 * @returns what was moved then
 * @throws {ServiceError} when that was another order
 */
export function sameTransfer(order: TransferOrder, made: Transfer): Transfer {
  const same = order.debitId === made.debitId && order.creditId === made.creditId && order.amount === made.amount;
  if (!same) throw refused('transfer_id_reused', 'Another transfer has this id.');
  return made;
}

function refused(code: string, publicMessage: string): ServiceError {
  return new ServiceError({ code, status: 409, publicMessage });
}
