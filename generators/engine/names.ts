/** Longest service name: a Kubernetes label holds 63 characters, and object names add a suffix such as `-allow-ingress`. */
export const maximumNameLength = 40;

export const namePattern = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** Names that YAML, Windows or npm read as something else. */
const reserved = new Set([
  ...['true', 'false', 'null', 'yes', 'no', 'on', 'off', 'y', 'n'],
  ...['con', 'prn', 'aux', 'nul', ...Array.from({ length: 10 }, (_, n) => [`com${n}`, `lpt${n}`]).flat()],
  ...['node-modules', 'node', 'npm', 'default', 'localhost', 'kube-system', 'kube-public', 'constructor', 'prototype'],
]);

/**
 * Checks a service's name, which becomes a package name, a DNS label (RFC 1123), an image name and part of YAML files.
 * @param name what the user typed
 * @returns what is wrong with it, or undefined when it will do
 */
export function serviceNameFault(name: string): string | undefined {
  if (name === '') return 'a service needs a name';
  if (name.length > maximumNameLength)
    return `the name is ${name.length} characters long; at most ${maximumNameLength} will do`;
  if (!namePattern.test(name)) {
    return 'use lower-case letters, digits and single hyphens, as in "order-history"';
  }
  if (reserved.has(name))
    return `"${name}" means something else to YAML, npm, Kubernetes or Windows; choose another name`;
  return undefined;
}

/** Longest description, in characters. */
export const maximumDescriptionLength = 200;

/** A description stands in JSON, YAML, Markdown and templates: one line, without what means something to any of them. */
export const descriptionPattern = /^[^\p{Cc}\u2028\u2029"\\{}<>`]*$/u;

/**
 * Checks a service's description.
 * @param description what the user typed
 * @returns what is wrong with it, or undefined when it will do
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
 * @param entries paths of files, and of folders, which end with `/`
 * @returns whether the file, or a folder that it is in, is among them
 */
export function isIn(path: string, entries: readonly string[]): boolean {
  return entries.some((entry) => path === entry || (entry.endsWith('/') && path.startsWith(entry)));
}
