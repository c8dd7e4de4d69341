import { create, toBinary } from '@bufbuild/protobuf';
import { anyPack, durationFromMs } from '@bufbuild/protobuf/wkt';
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

export const ok: Status = { name: 'OK' };

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

function shortened(text: string): string {
  return text.length <= most.message ? text : `${text.slice(0, most.message - 1).toWellFormed()}…`;
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
 * @returns the trailers that say so
 */
export function trailersOf({ name, message, details }: Status): Record<string, string> {
  return {
    'grpc-status': String(grpcCodes[name]),
    ...(message !== undefined && { 'grpc-message': percentEncode(message) }),
    ...(details && { 'grpc-status-details-bin': Buffer.from(details).toString('base64').replace(/=+$/, '') }),
  };
}

/** Printable ASCII but for % stays as it is. */
function percentEncode(text: string): string {
  return /^[ -$&-~]*$/.test(text)
    ? text
    : Array.from(Buffer.from(text), (byte) =>
        byte >= 0x20 && byte <= 0x7e && byte !== 0x25
          ? String.fromCodePoint(byte)
          : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
      ).join('');
}
