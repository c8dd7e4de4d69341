/**
 * Loaded before the service by `npm run dev`: what has not changed is not compiled again, and `.env` is read if there is one.
 * Node's own `--env-file-if-exists` would do, but `node --watch` aborts on Ctrl+C when it watches a file that does not exist.
 */
import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';

enableCompileCache();
if (existsSync('.env')) process.loadEnvFile();
