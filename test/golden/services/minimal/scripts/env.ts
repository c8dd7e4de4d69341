/**
 * Loaded before the service by `npm run dev`: reads `.env` if there is one. Node's own `--env-file-if-exists` would do, but
 * `node --watch` aborts on Ctrl+C when it watches a file that does not exist.
 */
import { existsSync } from 'node:fs';

if (existsSync('.env')) process.loadEnvFile();
