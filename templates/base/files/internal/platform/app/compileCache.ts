/** Loaded before the program by `npm start`: V8 takes the compiled code from `.cache/v8`, which the build has filled. */
import { enableCompileCache } from 'node:module';
import path from 'node:path';

const { env } = process;
// Variables, not options: Node before 24.12 has no such options, and processes started from this one inherit them.
env['NODE_COMPILE_CACHE'] ??= path.join(import.meta.dirname, '../../../../.cache/v8');
env['NODE_COMPILE_CACHE_PORTABLE'] ??= '1';
enableCompileCache();
