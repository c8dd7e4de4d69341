import { posix } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { fileNameFault } from '../../../generators/engine/names.ts';
import { ownFiles, type Options, type Rule, serviceWith, type Subject, textsOf, withFoundations } from './subject.ts';

/** What others may not be told: where packages come from, and what a machine's folders are called. */
const secrets = [
  /\bregistry=http|_authToken|https?:\/\/(?:registry|npm)\.[\w-]+\.\w+/i,
  /(?<![\w.])\/(?:home|Users|root|work|mnt|var\/folders)\/|\b[A-Z]:\\\\/,
];

/** What a module's files must be. */
export const fileRules: Readonly<Record<string, Rule>> = {
  'says of files that there are who owns them': ({ module }) =>
    [...(module.ownership?.managed ?? []), ...(module.ownership?.seed ?? [])].filter(
      (entry) => !module.files.some(({ path }) => path === entry || (entry.endsWith('/') && path.startsWith(entry))),
    ),

  'says of renamed files where they are now': ({ module }) =>
    Object.entries(module.renamed ?? {})
      .filter(([from, to]) => (from !== to && has(module, from)) || !has(module, to))
      .map(([from, to]) => `${from} → ${to}`),

  'has a page in docs': ({ module }) =>
    module.category === 'base' || module.part || has(module, `docs/${module.id}.md`) ? [] : [`docs/${module.id}.md`],

  'has paths that every system can store': ({ module }) =>
    module.files.flatMap(({ path }) => {
      const fault = path.split('/').map(fileNameFault).find(Boolean);
      return fault === undefined ? [] : [`${path}: ${fault}`];
    }),

  'has YAML and JSON that parse': (subject) =>
    [...ownFiles(subject)].flatMap(([path, text]) => {
      if (!/\.(ya?ml|json)$/.test(path)) return [];
      const errors = parseAllDocuments(text).flatMap((document) => document.errors);
      return errors.map(({ message }) => `${path}: ${message.split('\n')[0]}`);
    }),

  'has a runbook for every alert': (subject) => {
    const files = ownFiles(subject);
    return parsed(files, /^deploy\/observability\/alerts\/[^/]+\.yaml$/).flatMap(([path, document]) => {
      const rules = [...list(document, 'groups')].flatMap((group) => list(group, 'rules'));
      if (rules.length === 0) return [`${path} holds no rule`];
      return rules
        .filter((rule) => 'alert' in rule)
        .filter((rule) => {
          const [page = ''] = String(field(field(rule, 'annotations'), 'runbook_url')).split('#');
          return !(files.get(page) ?? '').includes(String(field(rule, 'alert')));
        })
        .map((rule) => `${path}: ${String(field(rule, 'alert'))}`);
    });
  },

  'watches what it measures by alerts and a dashboard': (subject) => {
    const { module, catalogue } = subject;
    if (!module.files.some(({ path }) => /^internal\/platform\/[^/]+\/metrics\.ts$/.test(path))) return [];
    const folder = 'deploy/observability/';
    // What the base measures is watched by the module that hosts the folder: nobody has one without the other.
    const hosts = Object.values(catalogue.modules).filter(({ hosts: entries = [] }) => entries.includes(folder));
    const watchers = module.category === 'base' ? hosts : [module];
    return ['alerts', 'dashboards'].filter((kind) => !watchers.some((each) => has(each, `${folder}${kind}/`)));
  },

  'has dashboards with panels': (subject) =>
    parsed(ownFiles(subject), /^deploy\/observability\/dashboards\/[^/]+\.json$/)
      .filter(([, document]) => typeof field(document, 'title') !== 'string' || list(document, 'panels').length === 0)
      .map(([path]) => path),

  'has Kubernetes components that are complete': (subject) => {
    const files = ownFiles(subject);
    const folders = new Set([...files.keys()].flatMap((path) => /^deploy\/k8s\/components\/[^/]+\//.exec(path) ?? []));
    return [...folders].flatMap((folder) => {
      const home = `${folder}kustomization.yaml`;
      const [[, component] = []] = parsed(new Map([...files].filter(([path]) => path === home)), /./);
      if (field(component, 'kind') !== 'Component') return [home];
      const named = [
        ...list(component, 'resources').map(String),
        ...list(component, 'patches').flatMap((patch) => ('path' in patch ? [String(patch['path'])] : [])),
      ];
      return named.map((name) => posix.join(folder, name)).filter((path) => !files.has(path));
    });
  },

  'has Compose fragments with services': (subject) =>
    parsed(ownFiles(subject), /^deploy\/compose\/[^/]+\.yaml$/)
      .filter(([, document]) => Object.keys(Object(field(document, 'services'))).length === 0)
      .map(([path]) => path),

  'has seeds that no other module and no option of another changes': (subject) => {
    const { module, catalogue } = subject;
    const alone = seedsOf(subject, []);
    const strangers = Object.values(catalogue.modules).filter((other) => !withFoundations(subject).includes(other));
    return strangers
      .filter(({ part }) => !part)
      .filter(({ id, conflicts = [] }) => !conflicts.includes(module.id) && !module.conflicts?.includes(id))
      .flatMap((other) =>
        otherOptions(other.options).map(
          (options) => [other.id, seedsOf(subject, [other.id], { [other.id]: options })] as const,
        ),
      )
      .flatMap(([id, seeds]) =>
        [...alone].filter(([path, text]) => seeds.get(path) !== text).map(([path]) => `${path} beside ${id}`),
      );
  },

  'names no registry and no folder of a machine': ({ sources }) =>
    [...sources].flatMap(([path, text]) =>
      secrets.flatMap((pattern) => {
        const found = pattern.exec(text);
        return found === null ? [] : [`${path}: ${found[0]}`];
      }),
    ),

  'keeps the expressions of GitHub Actions and Prometheus': (subject) => {
    const files = ownFiles(subject);
    return [...subject.sources].flatMap(([path, source]) => {
      const text = files.get(path.replace(/\.hbs$/, '')) ?? '';
      const [before, after] = [source.replaceAll('\\{{', '{{'), text].map(
        (side) => [...side.matchAll(/\$\{\{|\{\{ *[$.]/g)].length,
      );
      return before === after ? [] : [`${path}: ${before} before, ${after} after`];
    });
  },

  'has files that end with a line end, and lines that do not end with spaces': (subject) =>
    [...ownFiles(subject)].flatMap(([path, text]) => [
      ...(/[^\n]\n$/.test(text) ? [] : [`${path} does not end with one line end`]),
      ...(/[ \t]$|\r/m.test(text) ? [`${path} has white space at the end of a line`] : []),
    ]),

  'leaves nothing of a template in a file': (subject) => {
    const templates = new Set([...subject.sources.keys()].filter((path) => path.endsWith('.hbs')));
    return [...ownFiles(subject)]
      .filter(
        ([path, text]) => templates.has(`${path}.hbs`) && /\{\{(?! *[$.])(?<!\$\{\{)|undefined|\[object /.test(text),
      )
      .map(([path]) => path);
  },
};

function has({ files }: Subject['module'], path: string): boolean {
  return files.some((file) => file.path === path || (path.endsWith('/') && file.path.startsWith(path)));
}

function seedsOf(
  subject: Subject,
  ids: readonly string[],
  options: Readonly<Record<string, Options>> = {},
): ReadonlyMap<string, string> {
  const own = [...serviceWith(subject, ids, options)].filter(
    ([, { module, ownership }]) => module === subject.module.id && ownership === 'seed',
  );
  return textsOf(new Map(own));
}

/** The defaults, and each option at each other value. */
function otherOptions(options: Subject['module']['options'] = {}): Options[] {
  const values = Object.entries(options).flatMap(([name, option]) =>
    (option.type === 'boolean' ? [!option.default] : option.enum).map((value) => ({ [name]: value })),
  );
  return [{}, ...values];
}

type Item = Readonly<Record<string, unknown>>;

/** Files of one kind, and what they hold; one that does not parse holds nothing. */
function parsed(files: ReadonlyMap<string, string>, pattern: RegExp): [path: string, document: unknown][] {
  return [...files]
    .filter(([path]) => pattern.test(path))
    .map(([path, text]) => {
      const [document] = parseAllDocuments(text);
      return [path, document === undefined || !('toJS' in document) ? undefined : document.toJS()];
    });
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([name]) => name === key)?.[1]
    : undefined;
}

function list(value: unknown, key: string): Item[] {
  const found = field(value, key);
  return Array.isArray(found) ? found : [];
}
