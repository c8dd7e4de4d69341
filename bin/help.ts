import { commandNames, flagsOf, loadCommand } from '../generators/commands.ts';

/**
 * @param name the command to explain; undefined for a list of all commands
 * @returns the help page
 */
export async function helpPage(name: string | undefined): Promise<string> {
  if (name === undefined) {
    const rows = await Promise.all(
      commandNames.map(async (each) => {
        const { usage, summary } = await loadCommand(each);
        return [`${each} ${usage}`.trim(), summary] as const;
      }),
    );
    return `Usage: slipway <command> [flags]\n\n${columns(rows)}\n\nslipway <command> --help shows its flags.\nExit codes: 0 done, 1 failed, 2 bad usage or input, 3 conflicts, 4 drift.`;
  }
  const command = await loadCommand(name);
  const rows = Object.entries(flagsOf(command)).map(([flag, { short, value, bare, summary }]) => {
    const shown = value === undefined ? '' : bare === undefined ? ` <${value}>` : `[=${value}]`;
    return [`${short ? `-${short}, ` : '    '}--${flag}${shown}`, summary] as const;
  });
  return `Usage: slipway ${`${name} ${command.usage}`.trim()} [flags]\n\n${command.summary}\n\n${columns(rows)}`;
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}
