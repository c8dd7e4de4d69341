/** Where a service starts its resources. The file is the owner's. */
export const startPath = 'cmd/server/main.ts';

/** What the owner does to start them. */
export const startSteps = [
  `${startPath}: add import { resources } from '../../internal/resources.gen.ts';`,
  `${startPath}: add ...resources to the list that run() takes; no request reaches the resources without it`,
] as const;

const comment = /\/\*[^]*?\*\/|\/\/.*/g;
const listImport = /\bimport\s*\{[^}]*\bresources(?:\s+as\s+(\w+))?[^}]*\}\s*from\s*['"][^'"]*\bresources\.gen\b/;

/**
 * @param main text of a file that starts a service
 * @returns whether it imports the list of the resources and uses it
 */
export function startsResources(main: string): boolean {
  const code = main.replaceAll(comment, '');
  const found = listImport.exec(code);
  if (found === null) return false;
  const [statement, name = 'resources'] = found;
  return RegExp(String.raw`\b${name}\b`).test(code.replace(statement, ''));
}
