import { type Rule, serviceWith, type Subject } from './subject.ts';

/** What a module says about itself. */
export const definitionRules: Readonly<Record<string, Rule>> = {
  'is called like its folder': ({ module, folder }) =>
    module.id === folder && /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(folder) ? [] : [`"${module.id}" in ${folder}`],

  'has a summary of one short line without full stop': ({ module: { summary } }) =>
    /^\S.*[^\s.]$/.test(summary) && summary.length < 90 ? [] : [`"${summary}" (${summary.length})`],

  'requires and excludes modules that there are, without contradiction': (subject) => {
    const { module, catalogue } = subject;
    const { id, requires = [], conflicts = [] } = module;
    const known = (other: string): boolean => other !== id && Object.hasOwn(catalogue.modules, other);
    const needed = allRequired(subject, id);
    return [
      ...[...requires, ...conflicts].filter((other) => !known(other)).map((other) => `there is no "${other}"`),
      ...(needed.has(id) ? [`it requires itself by way of ${[...needed].join(', ')}`] : []),
      ...conflicts.filter((other) => needed.has(other)).map((other) => `"${other}" is required and excluded`),
    ];
  },

  'has checks that are scripts of its own': ({ module: { scripts = {}, checks = [] } }) => [
    ...checks.filter((name) => !Object.hasOwn(scripts, name)),
    // The composer of package.json prints it.
    ...(Object.hasOwn(scripts, 'check') ? ['it brings the script check'] : []),
  ],

  'says what follows in lines without full stop, with scripts and files that there are': (subject) => {
    const { module, catalogue } = subject;
    const lines = [...(module.next?.added ?? []), ...(module.next?.removed ?? [])];
    if (lines.length === 0) return [];
    const scripts = new Set([module, catalogue.base].flatMap((each) => Object.keys(each.scripts ?? {})));
    const files = [...serviceWith(subject).keys()];
    return lines.flatMap((line) => [
      ...(/^\S.*[^\s.]$/.test(line) && line.length < 180 ? [] : [`"${line}" (${line.length})`]),
      ...[...line.matchAll(/\{run\} (?:--silent )?([\w:]+)/g)]
        .map(([, script = '']) => script)
        .filter((script) => !scripts.has(script)),
      ...[...line.matchAll(/\b(?:api|cmd|deploy|docs|internal|pkg|scripts)\/[\w./-]+/g)]
        .map(([path]) => path)
        .filter((path) => !files.some((file) => file === path || file.startsWith(`${path}/`))),
    ]);
  },

  'has options with a summary and a default among their values': ({ module }) =>
    Object.entries(module.options ?? {}).flatMap(([name, option]) => [
      ...(option.summary.trim() === '' || option.summary.endsWith('.') ? [`${name}: "${option.summary}"`] : []),
      ...(option.type === 'string' && !option.enum.includes(option.default) ? [`${name}: ${option.default}`] : []),
    ]),

  'describes every setting, with an example': ({ module }) =>
    module.config
      .filter(({ description, example }) => !/^\S.*[^\s.]$/.test(description) || example === undefined)
      .map(({ name }) => name),

  'names settings as environment variables that no other module reads': ({ module, catalogue }) => {
    const others = [catalogue.base, ...Object.values(catalogue.modules)].filter(({ id }) => id !== module.id);
    const taken = new Set(others.flatMap(({ config }) => config.map(({ name }) => name)));
    return module.config.map(({ name }) => name).filter((name) => !/^[A-Z][A-Z0-9_]*$/.test(name) || taken.has(name));
  },
};

/** Everything that stands below a module, by its own reading of `requires`. */
function allRequired({ module, catalogue }: Subject, id: string): Set<string> {
  const found = new Set<string>();
  const visit = (other: string): void => {
    const { requires = [] } = other === id ? module : (catalogue.modules[other] ?? {});
    for (const next of requires) {
      if (found.has(next)) continue;
      found.add(next);
      visit(next);
    }
  };
  visit(id);
  return found;
}
