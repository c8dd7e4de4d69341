import { create, toBinary } from '@bufbuild/protobuf';
import { anyPack, durationFromMs } from '@bufbuild/protobuf/wkt';
import { Metadata, type StatusObject } from '@grpc/grpc-js';
import { ErrorInfoSchema, RequestInfoSchema, RetryInfoSchema } from '../../../api/gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../../../api/gen/google/rpc/status_pb.ts';
import { type GrpcStatus, grpcCodes, grpcStatusOf } from '../../../pkg/errors/grpc.ts';
import { ServiceError, as } from '../../../pkg/errors/index.ts';
import { about } from '../app/about.ts';

/** The status of a call, as the caller gets it. */
export interface Status {
  readonly name: GrpcStatus;
  /** The code of the ServiceError; undefined for a fault of this service, and for OK. */
  readonly code?: string;
  readonly message?: string;
  /** For the trailer grpc-status-details-bin. */
  readonly details?: Uint8Array;
}

/** Max characters of a message, and max bytes of details: many clients accept only 8 KiB of headers, and close the connection on more. */
const max = { message: 256, details: 2048 };

/**
 * Takes the status from the first ServiceError among an error and its causes. Other errors are INTERNAL, without details.
 * @param error any thrown value
 * @param requestId of the call
 * @returns the status with details of google.rpc (ErrorInfo, RetryInfo, RequestInfo); what does not fit into trailers is left out
 */
export function statusOf(error: unknown, requestId: string): Status {
  const known = as(error, ServiceError);
  const name = known === undefined ? 'INTERNAL' : grpcStatusOf(known);
  const message = shortened(known?.publicMessage ?? 'Internal error.');
  const details = [anyPack(RequestInfoSchema, create(RequestInfoSchema, { requestId }))];
  if (known !== undefined) {
    const info = create(ErrorInfoSchema, { reason: known.code, domain: about.name, metadata: metadataOf(known) });
    details.unshift(anyPack(ErrorInfoSchema, info));
    const { retryAfterMs } = known;
    if (retryAfterMs !== undefined) {
      const retryDelay = durationFromMs(Math.ceil(retryAfterMs));
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
  return (text.length <= max.message ? text : `${text.slice(0, max.message - 1)}…`).toWellFormed();
}

/** The details as text: all of them, or none when they are too long. */
function metadataOf({ details = {} }: ServiceError): Record<string, string> {
  const entries = Object.entries(details).map(
    ([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)] as const,
  );
  // JSON takes a little less than protobuf for entries without text, and more for all others.
  return Buffer.byteLength(JSON.stringify(entries)) > max.details ? {} : Object.fromEntries(entries);
}

/**
 * @param status of a call
 * @returns the same status for grpc-js
 */
export function statusObjectOf({ name, message = '', details }: Status): StatusObject {
  const metadata = new Metadata();
  if (details !== undefined) metadata.set('grpc-status-details-bin', Buffer.from(details));
  return { code: grpcCodes[name], details: message, metadata };
}

/**
 * @param code of the error
 * @param grpcStatus of the call
 * @param publicMessage for the caller
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
