import { existsSync } from 'node:fs';
import path from 'node:path';
import { defineModule } from '../app/module.ts';
import { http } from '../http/module.ts';
import { config } from './config.ts';
import { serveFiles } from './files.ts';

/** In the sources, and in what the build made of them (`dist/public/`, by scripts/publicFiles.ts). */
const folder = path.join(import.meta.dirname, '..', '..', '..', 'public');

/** Serves the files of `public/`, if there is such a folder. */
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
