import { existsSync } from 'node:fs';
import path from 'node:path';
import { defineModule } from '../app/module.ts';
import { http } from '../http/module.ts';
import { config } from './config.ts';
import { serveFiles } from './files.ts';

/** `public/` beside the sources, or `dist/public/` after the build. */
const folder = path.join(import.meta.dirname, '../../../public');

/** Serves the files of `public/` when the folder exists. */
export const staticFiles = defineModule({
  name: 'static',
  config,
  requires: [http],
  async start({ config: settings, log, use }) {
    if (existsSync(folder)) {
      await serveFiles(use(http), folder, settings);
      log.info({ folder, prefix: settings.STATIC_PREFIX }, 'serving files');
    }
    return { value: undefined };
  },
});
