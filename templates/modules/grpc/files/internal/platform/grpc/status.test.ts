import { fromBinary } from '@bufbuild/protobuf';
import { anyUnpack, durationMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { ErrorInfoSchema, RetryInfoSchema } from '../../../api/gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../../../api/gen/google/rpc/status_pb.ts';
import { ServiceError, invalidArgument, unavailable } from '../../../pkg/errors/index.ts';
import { grpcStatusName } from '../../../pkg/errors/grpc.ts';
import { statusOf } from './status.ts';

/** What a caller reads in the details of an error. */
function told(error: unknown): { metadata: object | undefined; retryMs: number | undefined } {
  const [bytes] = statusOf(error, 'id').metadata.get('grpc-status-details-bin');
  const { details } = fromBinary(StatusSchema, Buffer.from(bytes ?? ''));
  const info = details.map((any) => anyUnpack(any, ErrorInfoSchema)).find((each) => each !== undefined);
  const retry = details.map((any) => anyUnpack(any, RetryInfoSchema)).find((each) => each !== undefined);
  return { metadata: info?.metadata, retryMs: retry?.retryDelay && durationMs(retry.retryDelay) };
}

describe('the status of an error', () => {
  it.each([
    [400, undefined, 'INVALID_ARGUMENT'],
    [409, undefined, 'ABORTED'],
    [409, 'ALREADY_EXISTS', 'ALREADY_EXISTS'],
    [418, undefined, 'FAILED_PRECONDITION'],
    [499, undefined, 'CANCELLED'],
    [500, undefined, 'INTERNAL'],
    [502, undefined, 'INTERNAL'],
    [504, undefined, 'DEADLINE_EXCEEDED'],
    [400, 'no such name', 'INVALID_ARGUMENT'],
  ])('with the HTTP status %d and its own %s is %s', (status, grpcStatus, name) => {
    const error = new ServiceError({ code: 'c', status, publicMessage: 'No.', ...(grpcStatus && { grpcStatus }) });
    expect(grpcStatusName(statusOf(error, 'id').code)).toBe(name);
  });

  it('tells details of any kind as text', () => {
    const details = { version: 7n, ids: [1n, 2], name: 'ada', nothing: undefined };
    expect(told(invalidArgument('No.', { details })).metadata).toEqual({ version: '7', ids: '["1",2]', name: 'ada' });
  });

  it.each([
    [1234.5678, 1235],
    [0, 0],
    [Infinity, undefined],
  ])('of one that may be tried again after %d ms says %s', (retryAfterMs, expected) => {
    expect(told(unavailable('Not now.', { retryAfterMs })).retryMs).toBe(expected);
  });

  it('fits into the headers that clients take, however much it has to say', () => {
    const text = '漢'.repeat(100_000);
    const manyKeys = Object.fromEntries(Array.from({ length: 600 }, (_, index) => [index, '']));
    for (const details of [{ text }, { text: 'x'.repeat(2030) }, manyKeys]) {
      const { details: message, metadata } = statusOf(invalidArgument(text, { details }), 'id');
      const values = Object.entries(metadata.toHttp2Headers()).flat().join('');
      expect(encodeURI(message).length + values.length).toBeLessThan(8192);
    }
    expect(statusOf(invalidArgument(text), 'id').details).toMatch(/^漢+…$/);
    expect(told(invalidArgument('No.', { details: { text } })).metadata).toEqual({});
  });
});
