import { Type } from 'typebox';
import { current } from '../../../pkg/context/index.ts';
import { networks } from '../http/connections.ts';
import { problem, type Refuse } from '../http/problems.ts';
import { principalKey } from '../http/requestContext.ts';
import type { Kind } from './kinds.ts';

const settings = Type.Object(
  {
    peers: Type.Optional(Type.String({ minLength: 1, description: 'Addresses or networks, with commas between' })),
    subject: Type.Optional(Type.String({ minLength: 1, description: 'Of a token that was verified' })),
  },
  { additionalProperties: false, minProperties: 1 },
);

/**
 * @param refuse answers who is blocked
 * @returns blocks callers: those of the addresses, or of the subject; with both, those that are of both
 */
export function blocking(refuse: Refuse): Kind<typeof settings> {
  return {
    summary: 'Answers one caller with 403',
    settings,
    make({ peers, subject }) {
      const isPeer = peers === undefined ? undefined : networks('peers', peers);
      return (request, reply, next) => {
        const isMeant =
          (isPeer === undefined || isPeer(request.ip)) &&
          (subject === undefined || subject === current().get(principalKey)?.subject);
        if (!isMeant) next();
        else
          refuse(request, reply, problem(403, { code: 'blocked', detail: 'Your requests are not answered for now.' }));
      };
    },
  };
}
