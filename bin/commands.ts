interface Flag {
  readonly type: 'boolean' | 'string';
  readonly summary: string;
  readonly value?: string;
  readonly short?: string;
  readonly multiple?: true;
}

interface Command {
  readonly usage: string;
  readonly summary: string;
  readonly flags?: readonly FlagName[];
}

const flags = {
  'dry-run': { type: 'boolean', summary: 'show the plan, write nothing' },
  diff: { type: 'boolean', summary: 'show the plan as a unified diff' },
  json: { type: 'boolean', summary: 'print one JSON document, ask nothing' },
  yes: { type: 'boolean', short: 'y', summary: 'take the default for whatever is not given' },
  quiet: { type: 'boolean', short: 'q', summary: 'print errors only' },
  cwd: { type: 'string', value: 'dir', summary: 'run as if started in this folder' },
  conflict: { type: 'string', value: 'mode', summary: 'stop (default), ours, theirs or markers' },
  verify: { type: 'boolean', summary: 'run the service’s own checks in a scratch copy first' },
  'no-install': { type: 'boolean', summary: 'leave the dependencies to you' },
  'no-git': { type: 'boolean', summary: 'leave git to you' },
  catalogue: { type: 'string', value: 'file', summary: 'use this catalogue (JSON) instead of the built-in one' },
  help: { type: 'boolean', short: 'h', summary: 'show this help' },
  version: { type: 'boolean', short: 'v', summary: 'print the version' },
  name: { type: 'string', value: 'name', summary: 'the service’s name (default: the folder’s)' },
  description: { type: 'string', value: 'text', summary: 'one line about the service' },
  preset: { type: 'string', value: 'name', summary: 'a named set of modules (slipway list); "default" unless given' },
  modules: { type: 'string', value: 'a,b', summary: 'modules besides those of the preset' },
  'package-manager': { type: 'string', value: 'npm|pnpm', summary: 'what installs the dependencies' },
  ci: { type: 'string', value: 'a,b', summary: 'github, gitlab, both, or none' },
  provider: { type: 'string', value: 'a,b', summary: 'github, gitlab, both, or none' },
  answers: { type: 'string', value: 'file', summary: 'take the answers from a JSON file' },
  'platform-tests': { type: 'boolean', summary: 'also copy the tests of the platform’s code into the service' },
  'pin-node': { type: 'boolean', summary: 'take Node from npm even if the host’s is new enough' },
  set: { type: 'string', value: 'm.option=value', multiple: true, summary: 'an option of a module; may be repeated' },
} as const satisfies Record<string, Flag>;

export type FlagName = keyof typeof flags;

const everywhere = ['cwd', 'json', 'quiet', 'catalogue', 'help', 'version'] as const;
const changing = ['dry-run', 'diff', 'yes', 'conflict', 'verify', 'no-install', 'no-git'] as const;

/** Every command, in the order of the help page. */
export const commands: Readonly<Record<string, Command>> = {
  new: {
    usage: '[dir]',
    summary: 'lay down a new service (also: create-slipway)',
    flags: [
      ...changing,
      'name',
      'description',
      'preset',
      'modules',
      'set',
      'package-manager',
      'ci',
      'answers',
      'pin-node',
      'platform-tests',
    ],
  },
  add: { usage: '<module...>', summary: 'bring modules to this service', flags: [...changing, 'set'] },
  remove: { usage: '<module...>', summary: 'take modules away again', flags: changing },
  ci: { usage: '', summary: 'choose CI providers and write their pipelines', flags: [...changing, 'provider'] },
  update: { usage: '', summary: 'bring this version’s catalogue, and apply an edited slipway.json', flags: changing },
  check: {
    usage: '',
    summary: 'exit with 4 when the service has drifted from slipway.json',
    flags: ['diff', 'conflict'],
  },
  plan: {
    usage: '<command...>',
    summary: 'show what a command would do; with --json, a plan to apply later',
    flags: ['diff', 'yes', 'conflict', 'set', 'provider'],
  },
  apply: { usage: '<plan.json>', summary: 'carry out a plan, unless the service has changed since', flags: changing },
  list: { usage: '', summary: 'modules and presets' },
  info: { usage: '<module>', summary: 'what a module brings' },
  explain: { usage: '<file>', summary: 'who owns a file and what happens to your edits' },
  eject: { usage: '<file...>', summary: 'make files yours alone', flags: changing },
  doctor: { usage: '', summary: 'examine the service and this machine; finish an interrupted run' },
};

/**
 * @param command one of `commands`
 * @returns the flags that it takes
 */
export function flagsOf(command: string): Readonly<Record<string, Flag>> {
  const names: readonly FlagName[] = [...(commands[command]?.flags ?? []), ...everywhere];
  return Object.fromEntries(names.map((name) => [name, flags[name]]));
}

/**
 * @param command the command to explain; all of them when undefined
 * @returns the help page
 */
export function helpPage(command: string | undefined): string {
  if (command === undefined) {
    const rows = Object.entries(commands).map(
      ([name, { usage, summary }]) => [`${name} ${usage}`.trim(), summary] as const,
    );
    return `Usage: slipway <command> [flags]\n\n${columns(rows)}\n\nslipway <command> --help shows its flags.\nExit codes: 0 done, 1 failed, 2 bad usage or input, 3 conflicts, 4 drift.`;
  }
  const { usage, summary } = commands[command] ?? { usage: '', summary: '' };
  const rows = Object.entries(flagsOf(command)).map(
    ([name, flag]) =>
      [
        `${flag.short ? `-${flag.short}, ` : '    '}--${name}${flag.value ? ` <${flag.value}>` : ''}`,
        flag.summary,
      ] as const,
  );
  return `Usage: slipway ${`${command} ${usage}`.trim()} [flags]\n\n${summary}\n\n${columns(rows)}`;
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}
