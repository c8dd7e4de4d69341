import { Compile } from 'typebox/schema';
import { type JsonObject, isObject, membersOf, resolve } from '../../scripts/openapi/json.ts';

/** A reply of the API, and what it was a reply to. */
export interface Exchange {
  readonly method: string;
  /** As it was registered, `/items/:id`; undefined when no route was found. */
  readonly route: string | undefined;
  /** That of the route; a route without one, a test's own say, is in no contract. */
  readonly operationId: string | undefined;
  readonly status: number;
  /** The header Content-Type. */
  readonly contentType: string;
  /** Undefined when it is not known: of a stream. */
  readonly body: string | undefined;
  /** What the server says of itself, when its routes are in no other contract. */
  readonly document?: object;
}

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly responses: JsonObject;
}

const problemType = 'application/problem+json';
const problemSchema = '#/components/schemas/Problem';

/** An OpenAPI document, against which replies can be held. */
export class Contract {
  readonly #document: JsonObject;
  readonly #operations = new Map<string, Operation>();
  readonly #validators = new Map<string, (body: unknown) => string | undefined>();

  /** @param document OpenAPI 3.1 */
  constructor(document: JsonObject) {
    this.#document = document;
    for (const [path, item] of membersOf(document['paths'])) {
      for (const [method, said] of membersOf(item)) {
        if (!isObject(said) || typeof said['operationId'] !== 'string') continue;
        const { operationId: id, responses } = said;
        this.#operations.set(id, {
          method: method.toUpperCase(),
          path,
          responses: isObject(responses) ? responses : {},
        });
      }
    }
  }

  /**
   * @param exchange a reply
   * @returns what it does that the contract does not say; undefined when it keeps it
   */
  breach(exchange: Exchange): string | undefined {
    const { operationId, method, route = '', status } = exchange;
    const breach = operationId === undefined ? this.#breachOfAny(exchange) : this.#breachOf(operationId, exchange);
    return breach && `${method} ${route} (${operationId ?? 'no operation'}) answers ${status}: ${breach}`;
  }

  #breachOf(id: string, exchange: Exchange): string | undefined {
    const { method, route = '', status } = exchange;
    const operation = this.#operations.get(id);
    if (operation === undefined) return 'the contract has no such operation';
    const { path, responses } = operation;
    const found = `${method === 'HEAD' ? 'GET' : method} ${route.replaceAll(/:(\w+)/g, '{$1}')}`;
    if (found !== `${operation.method} ${path}`) return `by the contract it is ${operation.method} ${path}`;
    // `default` says how errors look, and no more.
    const names = [String(status), `${Math.floor(status / 100)}XX`, ...(status < 400 ? [] : ['default'])];
    const name = names.find((each) => Object.hasOwn(responses, each));
    const response = name === undefined ? undefined : resolve(this.#document, responses[name]);
    if (response === undefined) return 'the contract has no such status';
    return this.#breachOfContent(membersOf(response['content']), exchange);
  }

  #breachOfContent(content: readonly [string, unknown][], { method, contentType, body }: Exchange): string | undefined {
    if (method === 'HEAD' || body === undefined) return undefined;
    if (content.length === 0) return body === '' ? undefined : 'by the contract it has no body';
    const [mediaType = ''] = contentType.split(';');
    const found = content.find(([name]) => name === mediaType.trim());
    if (found === undefined)
      return `by the contract it is ${content.map(([name]) => name).join(' or ')}, not "${contentType}"`;
    const schema = isObject(found[1]) ? found[1]['schema'] : undefined;
    return /\bjson$/.test(found[0]) ? this.#breachOfSchema(schema ?? true, body) : undefined;
  }

  /** Where there is no operation: an error is a problem all the same. */
  #breachOfAny({ method, status, contentType, body }: Exchange): string | undefined {
    if (status < 400 || method === 'HEAD' || body === undefined) return undefined;
    if (!contentType.startsWith(problemType)) return `an error is ${problemType}, not "${contentType}"`;
    const isNamed = resolve(this.#document, { $ref: problemSchema }) !== undefined;
    return this.#breachOfSchema(isNamed ? { $ref: problemSchema } : true, body);
  }

  #breachOfSchema(schema: unknown, body: string): string | undefined {
    const key = JSON.stringify(schema);
    let validate = this.#validators.get(key);
    if (validate === undefined) {
      validate = this.#validator(schema);
      this.#validators.set(key, validate);
    }
    return validate(parse(body));
  }

  /** The components stand beside it, so that references to them are found. */
  #validator(schema: unknown): (body: unknown) => string | undefined {
    const compiled = Compile({ components: this.#document['components'], allOf: [isObject(schema) ? schema : {}] });
    return (body) => {
      if (compiled.Check(body)) return undefined;
      const faults = compiled
        .Errors(body)[1]
        .map(({ instancePath, message }) => `${instancePath} ${message}`.trimStart());
      return `its body is not what the contract says: ${faults.join(', ')}`;
    };
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
