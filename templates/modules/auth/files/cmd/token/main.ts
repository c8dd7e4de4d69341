import { parseArgs } from 'node:util';
import { developmentToken } from '../../internal/platform/auth/development.ts';
import { scopesOf } from '../../internal/platform/identity/module.ts';
import { resources } from './resources.gen.ts';

// Prints a token of the local issuer, with the scopes of all resources or with those that are named:
// `npm run token -- --scope items:write`.
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
const { subject, scope: scopes, role: roles } = values;
process.stdout.write(`${await developmentToken({ subject, scopes, roles }, process.env)}\n`);
