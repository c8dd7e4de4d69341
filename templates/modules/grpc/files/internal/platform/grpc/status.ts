import { create, toBinary } from '@bufbuild/protobuf';
import { anyPack, durationFromMs } from '@bufbuild/protobuf/wkt';
import { Metadata, type StatusObject, status as codes } from '@grpc/grpc-js';
import { ErrorInfoSchema, RequestInfoSchema, RetryInfoSchema } from '../../../api/gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../../../api/gen/google/rpc/status_pb.ts';
import { grpcStatusOf } from '../../../pkg/errors/grpc.ts';
import { ServiceError, as } from '../../../pkg/errors/index.ts';
import { about } from '../app/about.ts';

/** Max characters of a message, and max bytes of details: many clients accept only 8 KiB of headers, and close the connection on more. */
const max = { message: 256, details: 2048 };

/** The status of a call, and the code by which it is counted. */
export interface Failure extends StatusObject {
  readonly reason: string;
}

/**
 * Takes the status from the first ServiceError among an error and its causes. Other errors are INTERNAL, without details.
 * @param error any thrown value
 * @param requestId of the call
 * @returns the status with details of google.rpc (ErrorInfo, RetryInfo, RequestInfo); what does not fit into trailers is left out
 */
export function statusOf(error: unknown, requestId: string): Failure {
  const known = as(error, ServiceError);
  const code = codes[known === undefined ? 'INTERNAL' : grpcStatusOf(known)];
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
  const metadata = new Metadata();
  const bytes = toBinary(StatusSchema, create(StatusSchema, { code, message, details }));
  metadata.set('grpc-status-details-bin', Buffer.from(bytes));
  return { code, details: message, metadata, reason: known?.code ?? 'unknown' };
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
