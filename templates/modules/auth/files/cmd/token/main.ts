import { parseArgs } from 'node:util';
import { developmentToken } from '../../internal/platform/auth/development.ts';
import { scopesOf } from '../../internal/platform/identity/module.ts';
import { resources } from './resources.gen.ts';

// Prints a token of the local issuer, with the scopes of all resources or with those that are named:
// `npm run token -- --scope items:write`.
function readArguments() {
  const { values } = parseArgs({
    // pnpm passes the dashes on; npm removes them.
    args: process.argv.slice(2).filter((arg) => arg !== '--'),
    options: {
      scope: {
        type: 'string',
        multiple: true,
        default: resources.flatMap(({ name }: { readonly name: string }) => Object.values(scopesOf(name))),
      },
      role: { type: 'string', multiple: true, default: [] },
      subject: { type: 'string', default: 'developer' },
    },
  });
  return { subject: values.subject, scopes: values.scope, roles: values.role };
}

function fail(error: unknown, exitCode: number): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(exitCode);
}

const usage = 'usage: token [--subject <name>] [--scope <scope>]... [--role <role>]...';
let claims;
try {
  claims = readArguments();
} catch (error) {
  fail(`${error instanceof Error ? error.message : String(error)}\n${usage}`, 2);
}
const token = await developmentToken(claims, process.env).catch((error: unknown) => fail(error, 1));
process.stdout.write(`${token}\n`);
