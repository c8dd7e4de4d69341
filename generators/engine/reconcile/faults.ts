import type { Service } from '../model.ts';
import { decode } from '../text.ts';
import { hashOfText } from './decide.ts';
import { describeFault, type Fault, type FaultyFile } from './merge/format.ts';
import type { Prepared } from './prepare.ts';

/** Finds what is wrong with a text. `findFault` in merge/syntax.ts is one; the code is large, so a new service does not load it. */
export type FindFault = (path: string, text: string) => Fault | undefined;

/**
 * Finds the files that Slipway tracks and that are not valid now. A file that is as Slipway wrote it is not read.
 * @param service the current state of the service
 * @param findFault finds what is wrong with a text
 * @returns the files with unresolved conflicts, and the files that are not what their names say
 */
export function faultyFiles(service: Service, findFault: FindFault): FaultyFile[] {
  return Object.entries(service.lock.files).flatMap(([home, { at, hash, ownership }]) => {
    const path = at ?? home;
    const file = service.read(path);
    // A link, a pipe or a folder in place of the file is reported by the plan.
    if (file === undefined || file.special !== undefined || hashOfText(file, service) === hash) return [];
    const [text, base] = [file.bytes, ownership === 'merged' ? service.base(hash) : undefined].map(
      (bytes) => bytes && decode(bytes),
    );
    const notText = base === undefined ? undefined : { line: 1, message: 'this is not text in UTF-8' };
    const fault = text === undefined ? notText : findFault(path, text);
    // The templates of a third party may give a file the name of a format that it does not have.
    return fault === undefined || (base !== undefined && findFault(path, base) !== undefined)
      ? []
      : [{ path, ...fault }];
  });
}

/**
 * @param service the current state of the service
 * @param prepared a plan
 * @param findFault finds what is wrong with a text
 * @returns the plan, with the files that are not valid and that it does not correct
 */
export function withFaults(service: Service, prepared: Prepared, findFault: FindFault): Prepared {
  const isCorrected = ({ path }: FaultyFile): boolean =>
    prepared.changes.some(
      (change) =>
        change.path === path && ('remove' in change || findFault(path, decode(change.write) ?? '') === undefined),
    );
  return { ...prepared, faults: faultyFiles(service, findFault).filter((file) => !isCorrected(file)) };
}

/** @returns file, line and what is wrong there, in one line */
export function describeFaultyFile(file: FaultyFile): string {
  return `${file.path}, ${describeFault(file)}`;
}
