const json = /^application\/(?:[\w.-]+\+)?json\b/i;

/**
 * @param mediaType of a body
 * @returns whether it is JSON
 */
export function isJson(mediaType: string): boolean {
  return json.test(mediaType);
}
