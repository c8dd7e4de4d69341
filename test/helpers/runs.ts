/**
 * @param count how many random cases CI tries
 * @returns how many are tried here: a quarter of them on a developer's machine, where `npm test` has to be quick
 */
export function runs(count: number): number {
  return process.env['CI'] === undefined ? Math.ceil(count / 4) : count;
}
