import type { IncomingMessage } from 'node:http';
import type { TSchema } from 'typebox';
import type { ApiVersions } from './apiVersions.ts';
import { ByConstraint } from './byConstraint.ts';
import { type Join, anyOf, byChoice } from './joined.ts';
import type { MediaTypes } from './mediaTypes.ts';
import { type Fault, type Wanted, contradiction, lookUp } from './strategy.ts';

/** `/parts?version=2`. */
export class InQuery extends ByConstraint {
  readonly parameter = 'version';
  readonly #mediaTypes: MediaTypes;

  /**
   * @param versions of the API
   * @param mediaTypes that would name one: a request that does so must not mean another
   */
  constructor(versions: ApiVersions, mediaTypes: MediaTypes) {
    super(versions);
    this.#mediaTypes = mediaTypes;
  }

  join(addSchema: (schema: TSchema) => void): Join {
    return byChoice(anyOf(addSchema));
  }

  locate(path: string, version: number): string {
    return `${path}${path.includes('?') ? '&' : '?'}${this.parameter}=${version}`;
  }

  strip(url: string): string {
    const [path = '', query = ''] = url.split(/\?(.*)/s, 2);
    // With a question mark, which would be left out of what begins with one.
    const isOther = (pair: string): boolean => !new URLSearchParams(`?${pair}`).has(this.parameter);
    const others = query.split('&').filter((pair) => pair !== '' && isOther(pair));
    return others.length === 0 ? path : `${path}?${others.join('&')}`;
  }

  protected named({ url = '', headers }: IncomingMessage): Wanted | Fault | undefined {
    const values = valuesIn(url, this.parameter);
    if (values.length > 1) return contradiction(...values.slice(0, 3));
    const [value] = values;
    const wanted = value === undefined ? undefined : lookUp(this.versions, value, 400);
    if (wanted !== undefined && 'reason' in wanted) return wanted;
    const { version } = wanted ?? { version: this.versions.default };
    const other = this.#mediaTypes.contradicting(headers, version);
    return other === undefined ? wanted : contradiction(String(version), other);
  }
}

/** Most requests have none: that costs a look. The name may be encoded: `%76ersion`. */
function valuesIn(url: string, parameter: string): readonly string[] {
  const start = url.indexOf('?');
  const mayHave = start !== -1 && (url.includes(parameter, start) || url.includes('%', start));
  return mayHave ? new URLSearchParams(url.slice(start)).getAll(parameter) : [];
}
