import { spawnSync } from 'node:child_process';
import puppeteer, { type Browser } from 'puppeteer-core';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (file) => spawnSync(file, ['--version']).status === 0,
);

/** Whether this machine has a browser. */
export const hasBrowser = executablePath !== undefined;

/** @returns a headless browser; the caller closes it */
export async function startBrowser(): Promise<Browser> {
  // In a container, root has no sandbox and /dev/shm is small.
  return puppeteer.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}
