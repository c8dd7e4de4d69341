/**
 * Loaded before the service by `npm run dev`: reads `.env`, and compiles only changed files.
 * Node's own `--env-file-if-exists` does not work here: `node --watch` aborts on Ctrl+C when it watches a missing file.
 */
import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';

enableCompileCache();
if (existsSync('.env')) process.loadEnvFile();
