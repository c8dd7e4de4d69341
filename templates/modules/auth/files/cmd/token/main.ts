import { tokenCommand } from '../../internal/platform/auth/development.ts';

// Prints a token of the local issuer: `npm run token -- --scope items:write`.
const { exitCode, text } = await tokenCommand(process.argv.slice(2), process.env);
(exitCode === 0 ? process.stdout : process.stderr).write(`${text}\n`);
process.exitCode = exitCode;
