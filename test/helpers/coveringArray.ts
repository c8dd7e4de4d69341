/** The possible choices of several factors. */
export type Factors = Readonly<Record<string, readonly string[]>>;

/** One choice for each factor. */
export type Profile = Readonly<Record<string, string>>;

/** The number of candidate rows for each chosen row. */
const candidates = 200;

/**
 * Returns a small set of profiles that covers every pair of choices of two factors (pairwise testing). The algorithm
 * is greedy: of several candidates it takes the one that covers most open pairs (after Cohen et al., "The AETG
 * System", 1997). It is deterministic.
 * @param factors the possible choices
 * @returns the profiles
 */
export function coveringArray(factors: Factors): Profile[] {
  const open = new Set(pairsOf(factors));
  const profiles: Profile[] = [];
  while (open.size > 0) {
    const [profile = {}] = Array.from({ length: candidates }, (_, number) => candidate(factors, open, number)).toSorted(
      (a, b) => gainOf(b, open) - gainOf(a, open),
    );
    for (const pair of pairsIn(profile)) open.delete(pair);
    profiles.push(profile);
  }
  return profiles;
}

/** Starts with an open pair, then makes for each factor the choice that covers most open pairs. The number selects the start. */
function candidate(factors: Factors, open: ReadonlySet<string>, number: number): Profile {
  const names = Object.keys(factors);
  const pair = [...open][(number * 31) % open.size] ?? '[]';
  const profile: Record<string, string> = Object.fromEntries(JSON.parse(pair));
  for (const [index] of names.entries()) {
    const name = names[(index + number) % names.length] ?? '';
    const values = factors[name] ?? [];
    // Rotates the values, so that the first of several equally good values is not always chosen.
    const from = (number + index) % values.length;
    profile[name] ??= best(name, [...values.slice(from), ...values.slice(0, from)], profile, open);
  }
  return Object.fromEntries(names.map((name) => [name, profile[name] ?? '']));
}

function gainOf(profile: Profile, open: ReadonlySet<string>): number {
  return pairsIn(profile).filter((pair) => open.has(pair)).length;
}

/**
 * @param factors the possible choices
 * @returns every pair of choices of two factors, as text; equal pairs have equal text
 */
export function pairsOf(factors: Factors): string[] {
  const choices = Object.entries(factors).flatMap(([name, values]) => values.map((value) => [name, value] as const));
  return choices.flatMap((a, index) =>
    choices.slice(index + 1).flatMap((b) => (a[0] === b[0] ? [] : [JSON.stringify([a, b])])),
  );
}

/**
 * @param profile one choice for each factor
 * @returns the pairs in it, in the format of `pairsOf`
 */
export function pairsIn(profile: Profile): string[] {
  return pairsOf(Object.fromEntries(Object.entries(profile).map(([name, value]) => [name, [value]])));
}

/** Returns the choice that covers most open pairs. */
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
