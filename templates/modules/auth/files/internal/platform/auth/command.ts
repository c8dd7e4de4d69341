import { parseArgs } from 'node:util';
import { type Environment, readConfig } from '../config/config.ts';
import { config } from './config.ts';
import { issueToken } from './development.ts';

/** What the command prints, and exits with: 0 done, 2 wrong usage or settings. */
export interface Outcome {
  readonly exitCode: 0 | 2;
  readonly text: string;
}

const usage = 'usage: token [--scope <scope>]... [--role <role>]... [--subject developer] [--seconds 3600]';

/**
 * Issues a token of the local issuer.
 * @param args what the token says
 * @param env where the settings are read from
 * @returns the token, or what is wrong
 */
export async function tokenCommand(args: readonly string[], env: Environment): Promise<Outcome> {
  const options = optionsFrom(args);
  if (options === undefined) return { exitCode: 2, text: usage };
  const { AUTH_ISSUER, AUTH_DEVELOPMENT_DIR } = readConfig(config, env);
  if (AUTH_ISSUER !== '') return { exitCode: 2, text: `AUTH_ISSUER is set: ask ${AUTH_ISSUER} for a token` };
  if (env['NODE_ENV'] === 'production') return { exitCode: 2, text: 'there is no local issuer in production' };
  return { exitCode: 0, text: await issueToken(AUTH_DEVELOPMENT_DIR, options) };
}

function optionsFrom(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      // pnpm hands on the dashes that npm takes away.
      args: args.filter((arg) => arg !== '--'),
      options: {
        scope: { type: 'string', multiple: true, default: [] },
        role: { type: 'string', multiple: true, default: [] },
        subject: { type: 'string', default: 'developer' },
        seconds: { type: 'string', default: '3600' },
      },
    });
    const seconds = Number(values.seconds);
    if (!Number.isInteger(seconds) || seconds < 1 || values.subject === '') return undefined;
    return { scopes: values.scope, roles: values.role, subject: values.subject, seconds };
  } catch {
    return undefined;
  }
}
