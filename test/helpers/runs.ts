/**
 * @param count the number of random cases in CI
 * @returns the number of cases here: on a developer's machine it is a quarter, to keep `npm test` fast
 */
export function runs(count: number): number {
  return process.env['CI'] === undefined ? Math.ceil(count / 4) : count;
}
