/** What can be chosen for each of several factors. */
export type Factors = Readonly<Record<string, readonly string[]>>;

/** One choice for each factor. */
export type Profile = Readonly<Record<string, string>>;

/**
 * Few profiles in which every pair of choices of two factors stands together at least once (pairwise testing; greedy, after
 * Cohen et al., "The AETG System", 1997). Deterministic.
 * @param factors what can be chosen
 * @returns the profiles
 */
export function coveringArray(factors: Factors): Profile[] {
  const names = Object.keys(factors);
  const open = new Set(pairsOf(factors));
  const profiles: Profile[] = [];
  while (open.size > 0) {
    const [first = ''] = open;
    const profile: Record<string, string> = Object.fromEntries(JSON.parse(first));
    for (const name of names) {
      profile[name] ??= best(name, factors[name] ?? [], profile, open);
    }
    for (const pair of pairsIn(profile)) open.delete(pair);
    profiles.push(Object.fromEntries(names.map((name) => [name, profile[name] ?? ''])));
  }
  return profiles;
}

/**
 * @param factors what can be chosen
 * @returns every pair of choices of two factors, as text that two equal pairs share
 */
export function pairsOf(factors: Factors): string[] {
  const choices = Object.entries(factors).flatMap(([name, values]) => values.map((value) => [name, value] as const));
  return choices.flatMap((a, index) =>
    choices.slice(index + 1).flatMap((b) => (a[0] === b[0] ? [] : [JSON.stringify([a, b])])),
  );
}

/**
 * @param profile one choice for each factor
 * @returns the pairs that stand together in it, as `pairsOf` writes them
 */
export function pairsIn(profile: Profile): string[] {
  return pairsOf(Object.fromEntries(Object.entries(profile).map(([name, value]) => [name, [value]])));
}

/** The choice with which most open pairs come to stand. */
function best(name: string, values: readonly string[], profile: Profile, open: ReadonlySet<string>): string {
  const gain = (value: string): number =>
    Object.entries(profile).filter(
      ([other, chosen]) =>
        open.has(
          JSON.stringify([
            [other, chosen],
            [name, value],
          ]),
        ) ||
        open.has(
          JSON.stringify([
            [name, value],
            [other, chosen],
          ]),
        ),
    ).length;
  return values.toSorted((a, b) => gain(b) - gain(a))[0] ?? '';
}
