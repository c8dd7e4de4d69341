import Negotiator from 'negotiator';

export const json = 'application/json';
/** The media type of HAL (draft-kelly-json-hal-11, 3). */
export const hal = 'application/hal+json';

const named = /application\/hal\+json/i;
/** The longest Accept that is negotiated, in characters: it takes microseconds for each range. Browsers send about a hundred. */
const longestAccept = 1000;

/**
 * @param contentType of a reply
 * @returns whether it is JSON, and nothing that is made of it
 */
export function isJson(contentType: unknown): boolean {
  return typeof contentType === 'string' && /^application\/json\b/.test(contentType);
}

/**
 * HAL is for whoever names it, and likes JSON no better: to those who take anything, replies stay what they were.
 * @param accept the header of a request (RFC 9110, 12.5.1)
 * @returns whether the reply is to be HAL
 */
export function prefersHal(accept: string | undefined): boolean {
  if (accept === undefined || accept.length > longestAccept || !named.test(accept)) return false;
  return new Negotiator({ headers: { accept } }).mediaType([json, hal]) === hal;
}
