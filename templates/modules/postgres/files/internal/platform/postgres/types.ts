import { TypeOverrides, types } from 'pg';

/**
 * Makes the parsers of column types that both databases share. `int8`, and with it `count(*)`, is a number: node-postgres
 * would give a string. `date` stays the text it is: a Date would be midnight in whatever time zone the process runs.
 * @returns parsers for a connection's `types`
 */
export function typeParsers(): TypeOverrides {
  const overrides = new TypeOverrides();
  overrides.setTypeParser(types.builtins.INT8, parseInt8);
  overrides.setTypeParser(types.builtins.DATE, (text: string) => text);
  return overrides;
}

/** Rounding would be silent and wrong; a column that needs more than 53 bits is to be selected as text. */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 ${text} does not fit a number: select it as text`);
  return value;
}
