import type { IncomingMessage } from 'node:http';
import type { ApiVersions } from './apiVersions.ts';
import { ByConstraint } from './byConstraint.ts';
import { type Join, byMediaType } from './joined.ts';
import type { MediaTypes } from './mediaTypes.ts';
import { type Fault, type Wanted, contradiction, lookUp, shorten } from './strategy.ts';

/**
 * `Accept: application/vnd.<service>.v2+json`, or a parameter `version=2`; a body names its version by Content-Type, and has that of
 * Accept when it names none. Whoever names none, or likes something else better, gets the default as `application/json`.
 */
export class InMediaType extends ByConstraint {
  readonly vary = 'Accept';
  readonly #types: MediaTypes;

  /**
   * @param versions of the API
   * @param types by which callers name one
   */
  constructor(versions: ApiVersions, types: MediaTypes) {
    super(versions);
    this.#types = types;
  }

  join(): Join {
    return byMediaType(this.versions, (version) => this.mediaType(version));
  }

  mediaType(version: number): string {
    return this.#types.of(version);
  }

  locate(path: string): string {
    return path;
  }

  strip(url: string): string {
    return url;
  }

  protected named({ headers }: IncomingMessage): Wanted | Fault | undefined {
    const { accept = '', 'content-type': contentType = '' } = headers;
    const accepted = this.#types.accepted(headers.accept);
    if (accepted === undefined) return { reason: 'unknown', status: 406, named: shorten(accept) };
    if (this.#types.isForeign(contentType)) return { reason: 'unknown', status: 415, named: shorten(contentType) };
    const sent = this.#types.sent(headers['content-type']);
    if (sent === undefined) return accepted === 'any' ? undefined : lookUp(this.versions, String(accepted), 406);
    if (accepted === 'any' || String(accepted) === sent) return lookUp(this.versions, sent, 415);
    return contradiction(accept, contentType);
  }
}
