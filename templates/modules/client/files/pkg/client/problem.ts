import { isJson } from './mediaType.ts';

/** An error as a service tells it (RFC 9457), as far as it does. */
export interface ProblemDetails {
  readonly type?: string;
  readonly title?: string;
  readonly detail?: string;
  /** Stable, for programs to branch on. */
  readonly code?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly requestId?: string;
  /** What the service says besides. */
  readonly [member: string]: unknown;
}

/** The cause of a `ServiceError` that came as a reply: all that the reply says. */
export class ProblemReply extends Error {
  override readonly name = 'ProblemReply';
  readonly status: number;
  readonly problem: ProblemDetails;

  /**
   * @param status of the reply
   * @param problem its body; empty when that is no problem
   */
  constructor(status: number, problem: ProblemDetails) {
    super(`${status} ${problem.title ?? ''}`.trimEnd());
    this.status = status;
    this.problem = problem;
  }
}

const texts = new Set(['type', 'title', 'detail', 'code', 'requestId']);

/**
 * @param mediaType of a reply
 * @param text its body, which anything between here and the service may have written
 * @returns the problem in it, without members that are not what RFC 9457 says; empty when there is none
 */
export function problemIn(mediaType: string, text: string): ProblemDetails {
  if (!isJson(mediaType)) return {};
  const value = parse(text);
  if (!isObject(value)) return {};
  const sound = Object.entries(value).filter(([name, member]) => {
    if (name === 'details') return isObject(member);
    return !texts.has(name) || typeof member === 'string';
  });
  return Object.fromEntries(sound);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
