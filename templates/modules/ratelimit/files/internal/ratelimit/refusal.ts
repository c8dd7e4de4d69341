import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Problem } from '../http/problem.ts';

/** Answers in place of a handler, before the body is read. */
export type Refuse = (request: FastifyRequest, reply: FastifyReply, answer: Problem) => void;
