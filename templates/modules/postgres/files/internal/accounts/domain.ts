import { ServiceError } from '../../pkg/errors/index.ts';

/** An account of money. Amounts are whole numbers of the smallest unit of the currency, such as cents. */
export interface Account {
  readonly id: string;
  /** ISO 4217. */
  readonly currency: string;
  readonly balance: number;
  readonly openedAt: Date;
}

/** Stores accounts. */
export interface AccountRepository {
  open(currency: string, balance: number): Promise<Account>;
  find(id: string): Promise<Account | undefined>;
  /**
   * Moves money from one account to another: all of it, or nothing.
   * @throws {ServiceError} when an account does not exist, or the transfer is refused
   */
  transfer(debitId: string, creditId: string, amount: number, signal?: AbortSignal): Promise<void>;
}

/**
 * @param amount the money to move
 * @param debit the account that pays
 * @param credit the account that is paid
 * @throws {ServiceError} when the transfer is not allowed
 */
export function assertTransferable(amount: number, debit: Account, credit: Account): void {
  if (!Number.isSafeInteger(amount) || amount <= 0) {
    throw refused('amount_not_positive', 'The amount is not a whole number above zero.');
  }
  if (debit.id === credit.id) throw refused('same_account', 'Both accounts are the same.');
  if (debit.currency !== credit.currency) throw refused('currency_mismatch', 'The currencies differ.');
  if (debit.balance < amount) throw refused('insufficient_funds', 'The balance is too low.');
}

function refused(code: string, publicMessage: string): ServiceError {
  return new ServiceError({ code, status: 409, publicMessage });
}
