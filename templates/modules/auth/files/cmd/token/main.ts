import { tokenCommand } from '../../internal/platform/auth/development.ts';
import { scopesOf } from '../../internal/platform/identity/module.ts';
import { resources } from './resources.gen.ts';

// Prints a token of the local issuer, with the scopes of all resources or with those that are named:
// `npm run token -- --scope items:write`.
const scopes = resources.flatMap(({ name }: { readonly name: string }) => Object.values(scopesOf(name)));
const { exitCode, text } = await tokenCommand(process.argv.slice(2), process.env, scopes);
(exitCode === 0 ? process.stdout : process.stderr).write(`${text}\n`);
process.exitCode = exitCode;
