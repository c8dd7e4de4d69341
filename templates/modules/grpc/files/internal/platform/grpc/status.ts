import { create, toBinary } from '@bufbuild/protobuf';
import { anyPack, durationFromMs } from '@bufbuild/protobuf/wkt';
import { Metadata, type StatusObject } from '@grpc/grpc-js';
import { ErrorInfoSchema, RequestInfoSchema, RetryInfoSchema } from '../../../api/gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../../../api/gen/google/rpc/status_pb.ts';
import { type GrpcStatus, ServiceError, as, grpcCodes } from '../../../pkg/errors/index.ts';
import { about } from '../app/about.ts';

/** How a call ends, as its caller learns it. */
export interface Status {
  readonly name: GrpcStatus;
  /** Of the ServiceError that decided; undefined for a fault of our own, and when all went well. */
  readonly code?: string;
  readonly message?: string;
  /** For the trailer grpc-status-details-bin. */
  readonly details?: Uint8Array;
}

/** Characters of a message, and bytes of details: many clients take no more than 8 KiB of headers, and too many end the connection. */
const most = { message: 256, details: 2048 };
/** Bytes with which an entry of a map stands in a message, at most. */
const entryOverhead = 12;
/** What a google.protobuf.Duration holds, in milliseconds. */
const longestMs = 315_576_000_000_000;

/**
 * Decides what a caller learns of an error: what the nearest ServiceError among it and its causes says.
 * @param error anything that was thrown
 * @param requestId of the call
 * @returns a status with its details (google.rpc: ErrorInfo, RetryInfo, RequestInfo); nothing of the inside is in it, and what does not
 * fit into trailers is left out
 */
export function statusOf(error: unknown, requestId: string): Status {
  const known = as(error, ServiceError);
  const name = known?.grpcStatus ?? 'INTERNAL';
  const message = shortened(known?.publicMessage ?? 'Internal error.');
  const details = [anyPack(RequestInfoSchema, create(RequestInfoSchema, { requestId }))];
  if (known !== undefined) {
    const info = create(ErrorInfoSchema, { reason: known.code, domain: about.name, metadata: metadataOf(known) });
    details.unshift(anyPack(ErrorInfoSchema, info));
    const { retryAfterMs } = known;
    if (retryAfterMs !== undefined) {
      const retryDelay = durationFromMs(Math.min(Math.ceil(retryAfterMs), longestMs));
      details.push(anyPack(RetryInfoSchema, create(RetryInfoSchema, { retryDelay })));
    }
  }
  const bytes = toBinary(StatusSchema, create(StatusSchema, { code: grpcCodes[name], message, details }));
  return { name, message, details: bytes, ...(known && { code: known.code }) };
}

/**
 * @param text of any length
 * @returns a message that fits into a header
 */
export function shortened(text: string): string {
  return (text.length <= most.message ? text : `${text.slice(0, most.message - 1)}…`).toWellFormed();
}

/** All of the details as text, or none. */
function metadataOf({ details = {} }: ServiceError): Record<string, string> {
  const entries = Object.entries(details).map(
    ([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)] as const,
  );
  const bytes = entries.reduce(
    (sum, [key, text]) => sum + Buffer.byteLength(key) + Buffer.byteLength(text) + entryOverhead,
    0,
  );
  return bytes > most.details ? {} : Object.fromEntries(entries);
}

/**
 * @param status of a call
 * @returns the same for grpc-js
 */
export function statusObjectOf({ name, message = '', details }: Status): StatusObject {
  const metadata = new Metadata();
  if (details !== undefined) metadata.set('grpc-status-details-bin', Buffer.from(details));
  return { code: grpcCodes[name], details: message, metadata };
}

/**
 * @param code stable, for programs and metrics
 * @param grpcStatus what the caller is answered
 * @param publicMessage anyone may read it
 * @param cause for the log
 * @returns the error of a call that breaks its contract or a limit
 */
export function fault(
  code: string,
  grpcStatus: 'INVALID_ARGUMENT' | 'RESOURCE_EXHAUSTED',
  publicMessage: string,
  cause?: unknown,
): ServiceError {
  const status = grpcStatus === 'RESOURCE_EXHAUSTED' ? 429 : 400;
  return new ServiceError({ code, status, grpcStatus, publicMessage, retryable: false, cause });
}
