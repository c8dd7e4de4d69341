// Loaded into a process with `node --import`. Counts its calls that change the file system. At one call it injects a fault.
//   CRASH_UNDER  count only calls on files below this folder (and on descriptors opened there)
//   CRASH_LOG    at exit, write the calls here, as a JSON list
//   CRASH_AT     the number of the call at which to inject the fault, from 1
//   CRASH_HOW    "kill": kill before the call; "torn": kill after half of the write; "stop": stop before the call until
//                SIGCONT; otherwise the error code of the call (ENOSPC)
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { resolve, sep } from 'node:path';

const { CRASH_UNDER: under, CRASH_LOG: log, CRASH_AT: at, CRASH_HOW: how = 'kill' } = process.env;
const names = [
  'appendFile chmod chown close copyFile cp fchmod fchown fsync ftruncate futimes lchown link mkdir mkdtemp open rename rm',
  'rmdir symlink truncate unlink utimes write writeFile writev',
].flatMap((line) => line.split(' '));

const writeLog = fs.writeFileSync;
const calls = [];
/** Descriptor → whether it was opened for writing. */
const descriptors = new Map();

function isWatched(subject) {
  if (under === undefined || descriptors.has(subject)) return true;
  if (typeof subject !== 'string' && !Buffer.isBuffer(subject) && !(subject instanceof URL)) return false;
  const path = resolve(subject instanceof URL ? subject.pathname : String(subject));
  return path === under || path.startsWith(under + sep);
}

function opensForReading(name, [, flags]) {
  const writing = fs.constants.O_WRONLY | fs.constants.O_RDWR | fs.constants.O_CREAT;
  return (
    name.startsWith('open') &&
    (typeof flags === 'number' ? (flags & writing) === 0 : flags === 'r' || flags === undefined)
  );
}

function half([subject, data, ...rest]) {
  return [subject, data.slice(0, data.length >> 1), ...(typeof rest[0] === 'number' ? [] : rest)];
}

/** Counts a call. At the call with the number CRASH_AT, it kills or stops the process, or returns the error to fail with. */
function strike(name, original, args) {
  if (opensForReading(name, args) || !isWatched(args[0])) return undefined;
  if (name === 'closeSync' && !descriptors.get(args[0])) return undefined;
  calls.push(`${name} ${String(args[0])}`);
  if (String(calls.length) !== at) return undefined;
  if (how === 'torn' && /^write(File)?Sync$/.test(name)) original(...half(args));
  if (how === 'torn' || how === 'kill') process.kill(process.pid, 'SIGKILL');
  if (how === 'stop') return void process.kill(process.pid, 'SIGSTOP');
  return Object.assign(new Error(`${how}: injected, ${name}`), { code: how, errno: -1, syscall: name });
}

function remember(name, args, result) {
  if (name === 'openSync' && isWatched(args[0])) descriptors.set(result, !opensForReading(name, args));
  if (name === 'closeSync') descriptors.delete(args[0]);
  return result;
}

for (const name of names) {
  const [sync, callback, promise] = [fs[`${name}Sync`], fs[name], fs.promises[name]];
  if (sync) {
    fs[`${name}Sync`] = (...args) => {
      const error = strike(`${name}Sync`, sync, args);
      if (error) throw error;
      return remember(`${name}Sync`, args, sync(...args));
    };
  }
  if (callback) {
    fs[name] = (...args) => {
      const error = strike(name, callback, args);
      return error ? process.nextTick(args.at(-1), error) : callback(...args);
    };
  }
  if (promise) {
    fs.promises[name] = async (...args) => {
      const error = strike(`promises.${name}`, promise, args);
      if (error) throw error;
      return promise(...args);
    };
  }
}
syncBuiltinESMExports();
if (log !== undefined) process.on('exit', () => writeLog(log, JSON.stringify(calls)));
