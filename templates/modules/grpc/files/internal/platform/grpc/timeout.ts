import { fault } from './faults.ts';

const pattern = /^(\d{1,8})([HMSmun])$/;
const milliseconds: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/**
 * Reads the header grpc-timeout (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
 * @param value of the header
 * @returns milliseconds; undefined when there is none
 * @throws {ServiceError} INVALID_ARGUMENT when it is malformed
 */
export function parseTimeout(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const [, digits, unit = ''] = pattern.exec(value) ?? [];
  const factor = milliseconds[unit];
  if (factor === undefined)
    throw fault('timeout_malformed', 'INVALID_ARGUMENT', 'The header grpc-timeout is not valid.');
  return Number(digits) * factor;
}
