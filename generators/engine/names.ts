/**
 * Maximum length of a service name. A Kubernetes label has at most 63 characters. Object names add a suffix, for example
 * `-allow-ingress`.
 */
export const maximumNameLength = 40;

export const namePattern = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** Names with a special meaning in YAML or npm. */
const reserved = new Set([
  ...['true', 'false', 'null', 'yes', 'no', 'on', 'off', 'y', 'n'],
  ...['node-modules', 'node', 'npm', 'default', 'localhost', 'kube-system', 'kube-public', 'constructor', 'prototype'],
]);

/**
 * Checks a service name. The name becomes a package name, a DNS label (RFC 1123), an image name and part of YAML files.
 * @param name what the user typed
 * @returns what is wrong with it, or undefined when it is valid
 */
export function serviceNameFault(name: string): string | undefined {
  if (name === '') return 'a service needs a name';
  if (name.length > maximumNameLength)
    return `the name is ${name.length} characters long; at most ${maximumNameLength} will do`;
  if (!namePattern.test(name)) {
    return 'use lower-case letters, digits and single hyphens, as in "order-history"';
  }
  if (reserved.has(name) || fileNameFault(name) !== undefined)
    return `"${name}" means something else to YAML, npm, Kubernetes or Windows; choose another name`;
  return undefined;
}

/** Maximum length of a pattern of paths, in characters. */
export const maximumPatternLength = 200;

/** https://learn.microsoft.com/windows/win32/fileio/naming-a-file#naming-conventions */
const device = /^(?:con|prn|aux|nul|(?:com|lpt)[\d¹²³]|conin\$|conout\$) *(?:\.|$)/i;

/**
 * Checks the name of a file or folder for the file systems of all systems.
 * @param name one part of a path
 * @returns what is wrong with it, or undefined when every system can store it
 */
export function fileNameFault(name: string): string | undefined {
  if (device.test(name)) return 'Windows has a device of that name';
  if (/[. ]$/.test(name)) return 'Windows drops a dot or a space at the end';
  if (/[<>:"|?*\\\p{Cc}]/u.test(name)) return 'Windows does not allow one of its characters';
  return undefined;
}

/** A path in a repository that needs no quotes in YAML, in shells and in Dockerfiles. */
export const folderPattern = /^[\w@][\w@-]*(?:\.[\w@-]+)*(?:\/[\w@][\w@-]*(?:\.[\w@-]+)*)*$/;

/** Maximum length of a description, in characters. */
export const maximumDescriptionLength = 200;

/** The description appears in JSON, YAML, Markdown and templates. It is one line without characters that are special in any of them. */
export const descriptionPattern = /^[^\p{Cc}\u2028\u2029"\\{}<>`]*$/u;

/**
 * Checks a service's description.
 * @param description what the user typed
 * @returns what is wrong with it, or undefined when it is valid
 */
export function descriptionFault(description: string): string | undefined {
  if (description.length > maximumDescriptionLength)
    return `the description is ${description.length} characters long; at most ${maximumDescriptionLength} will do`;
  return descriptionPattern.test(description)
    ? undefined
    : 'a description is one line, without double quotes, backslashes, backticks, braces and angle brackets';
}

/**
 * @param path of a file
 * @param entries paths of files and folders; a folder ends with `/`
 * @returns whether the entries contain the file or a folder above it
 */
export function isIn(path: string, entries: readonly string[]): boolean {
  const names = setOf(entries);
  if (names.has(path)) return true;
  for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
    if (names.has(path.slice(0, end + 1))) return true;
  }
  return false;
}

const sets = new WeakMap<readonly string[], ReadonlySet<string>>();

/** A manifest or a catalogue may have many entries, and each file of a service is looked up. */
function setOf(entries: readonly string[]): ReadonlySet<string> {
  const known = sets.get(entries) ?? new Set(entries);
  sets.set(entries, known);
  return known;
}
