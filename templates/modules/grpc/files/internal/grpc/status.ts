import { create, toBinary } from '@bufbuild/protobuf';
import { anyPack, durationFromMs } from '@bufbuild/protobuf/wkt';
import { ErrorInfoSchema, RequestInfoSchema, RetryInfoSchema } from '../../api/gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../../api/gen/google/rpc/status_pb.ts';
import { type GrpcStatus, ServiceError, as, grpcCodes } from '../../pkg/errors/index.ts';
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

/**
 * Decides what a caller learns of an error: what the nearest ServiceError among it and its causes says.
 * @param error anything that was thrown
 * @param requestId of the call
 * @returns a status with its details (google.rpc: ErrorInfo, RetryInfo, RequestInfo); nothing of the inside is in it
 */
export function statusOf(error: unknown, requestId: string): Status {
  const known = as(error, ServiceError);
  const name = known?.grpcStatus ?? 'INTERNAL';
  const message = known?.publicMessage ?? 'Internal error.';
  const details = [anyPack(RequestInfoSchema, create(RequestInfoSchema, { requestId }))];
  if (known !== undefined) {
    const metadata = Object.fromEntries(
      Object.entries(known.details ?? {}).map(([key, value]) => [
        key,
        typeof value === 'string' ? value : JSON.stringify(value),
      ]),
    );
    const info = create(ErrorInfoSchema, { reason: known.code, domain: about.name, metadata });
    details.unshift(anyPack(ErrorInfoSchema, info));
    const { retryAfterMs } = known;
    if (retryAfterMs !== undefined) {
      const retry = create(RetryInfoSchema, { retryDelay: durationFromMs(retryAfterMs) });
      details.push(anyPack(RetryInfoSchema, retry));
    }
  }
  const bytes = toBinary(StatusSchema, create(StatusSchema, { code: grpcCodes[name], message, details }));
  return { name, message, details: bytes, ...(known && { code: known.code }) };
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
