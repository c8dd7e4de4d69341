import type { Handle, Middleware } from '../http/server.ts';
import { type Step, Tally, measured } from './measured.ts';

/** What one that was added is made of. */
export interface Origin {
  readonly kind: string;
  readonly settings: unknown;
}

/** What can be changed of a middleware while the service runs. */
export interface State {
  readonly isOn: boolean;
  /** Such as `GET /items/:id`; undefined: all. */
  readonly routes?: readonly string[] | undefined;
  /** When it is again as the code has it. */
  readonly until?: Date | undefined;
}

/** One middleware of a running service. */
export interface Entry {
  readonly name: string;
  readonly place: Middleware;
  /** Whether it is part of the service: then it can be off, and is never gone. */
  readonly isDeclared: boolean;
  /** Whether it stays on, whatever an operator wants. */
  readonly isFixed: boolean;
  /** Of one that an operator added. */
  readonly origin: Origin | undefined;
  readonly tally: Tally;
  readonly step: Step;
  state: State;
}

/** As the code has it. */
export const asDeclared: State = { isOn: true };

/** One that is added to a running service. */
export interface Added {
  readonly name: string;
  readonly handle: Handle;
  readonly origin?: Origin;
}

/**
 * @param place a step that a module added to the chain at start
 * @returns its entry
 */
export function declared(place: Middleware): Entry {
  const { name, fixed = false, handle } = place;
  return { name, place, isDeclared: true, isFixed: fixed, origin: undefined, state: asDeclared, ...measuring(handle) };
}

/**
 * @param place where it stands
 * @param given what is added
 * @returns its entry
 */
export function added(place: Middleware, { name, handle, origin }: Added): Entry {
  return { name, place, isDeclared: false, isFixed: false, origin, state: asDeclared, ...measuring(handle) };
}

function measuring(handle: Handle): Pick<Entry, 'tally' | 'step'> {
  const tally = new Tally();
  return { tally, step: measured(handle, tally) };
}
