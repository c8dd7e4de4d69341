/** Participles that no rule gives. */
const irregular: Readonly<Record<string, string>> = {
  begun: 'begin',
  bought: 'buy',
  broken: 'break',
  built: 'build',
  chosen: 'choose',
  done: 'finish',
  drawn: 'draw',
  frozen: 'freeze',
  given: 'give',
  held: 'hold',
  lost: 'lose',
  made: 'make',
  paid: 'pay',
  sent: 'send',
  sold: 'sell',
  taken: 'take',
  withdrawn: 'withdraw',
  won: 'win',
  written: 'write',
};

/** The ends of stems whose verb ends with `e`: `approv`, `clos`, `creat`, `schedul`, `charg`, `expir`, `complet`. */
const silent =
  /(?:[cuvz]|[^s]s|[rd]g|[^aeiourl]l|dul|mpil|[^eo]at|creat|plet|let|quot|vot|mot|cut|put|vit|[^aeou]ir|[ctds]ur|[st]or|nor|[cfl]in|vid|cid|rad|nam|sum)$/;

/** Stems with such an end whose verb has no `e`. */
const whole = /(?:focus|await|monitor|input|output)$/;

/**
 * Derives the verb of a transition from the state that it leads to.
 * @param state such as `shipped`, in kebab-case, camelCase or snake_case
 * @returns the verb in kebab-case, such as `ship`; undefined when the state is no participle
 */
export function verbOf(state: string): string | undefined {
  const words = state
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase();
  const [, before = '', last = ''] = /^(.*-)?([a-z]+)$/.exec(words) ?? [];
  if (Object.hasOwn(irregular, last)) return before + irregular[last];
  if (!/[a-z]{2}ed$/.test(last)) return undefined;
  const stem = last.slice(0, -'ed'.length);
  if (stem.endsWith('i')) return `${before}${stem.slice(0, -1)}y`;
  // `shipp`, `cancell`, and not `add`, `pass`, `install`.
  if (/([bgmnprt])\1$|[aeiou][^aeiou]+ell$/.test(stem)) return before + stem.slice(0, -1);
  return before + stem + (silent.test(stem) && !whole.test(stem) ? 'e' : '');
}
