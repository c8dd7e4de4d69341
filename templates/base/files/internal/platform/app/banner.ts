import { about } from './about.ts';

/**
 * @param links what can be opened in a browser, by name; a path is one of the API's
 * @returns a few lines for a developer's terminal
 */
export function banner(links: Readonly<Record<string, string>>): string {
  const width = Math.max(0, ...Object.keys(links).map((name) => name.length));
  const { API = '' } = links;
  const lines = Object.entries(links).map(
    ([name, url]) => `  ${name.padEnd(width)}  ${url.startsWith('/') ? API : ''}${url}`,
  );
  return ['', `  ${about.name} ${about.version} is ready`, '', ...lines, '', ''].join('\n');
}
