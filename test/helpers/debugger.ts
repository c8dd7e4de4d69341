import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A program and the place of its breakpoint. */
export interface Debuggee {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** An absolute path. */
  readonly file: string;
  /** The line, from 0. */
  readonly line: number;
}

/** A message of the inspector: https://chromedevtools.github.io/devtools-protocol/v8/Debugger/ */
type Message = ReturnType<typeof JSON.parse>;

/**
 * Debugs a command as an editor does: each Node process waits for the debugger, gets a breakpoint and continues.
 * @param debuggee the command and the breakpoint; all of its processes end before this returns
 * @param urge called repeatedly until the breakpoint is hit
 * @returns the source files of the place, as an editor finds them
 * @throws Error when the breakpoint is not hit within two minutes
 */
export async function stopAt({ command, args, cwd, env, file, line }: Debuggee, urge: () => void): Promise<string[]> {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env, NODE_OPTIONS: '--inspect-brk=0' },
    // The command gets its own process group, so that all its processes can be killed together.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const urging = setInterval(urge, 500);
  try {
    return await new Promise<string[]>((resolve, reject) => {
      createInterface(child.stderr).on('line', (text) => {
        const [url] = /ws:\/\/\S+/.exec(text) ?? [];
        if (url !== undefined) attach(url, file, line, resolve);
      });
      setTimeout(() => reject(new Error(`${file}:${line + 1} was never reached`)), 120_000).unref();
    });
  } finally {
    clearInterval(urging);
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }
}

/** Sets the breakpoint in one process and lets the process continue from its first line. */
function attach(url: string, file: string, lineNumber: number, onHit: (sources: string[]) => void): void {
  const socket = new WebSocket(url);
  const sources = new Map<string, string[]>();
  let id = 0;
  const send = (method: string, params: object = {}): void => {
    id += 1;
    socket.send(JSON.stringify({ id, method, params }));
  };
  socket.addEventListener('open', () => {
    send('Debugger.enable');
    const urlRegex = `^file://${file.replaceAll('.', String.raw`\.`)}(\\?.*)?$`;
    send('Debugger.setBreakpointByUrl', { urlRegex, lineNumber });
    send('Runtime.runIfWaitingForDebugger');
  });
  socket.addEventListener('message', ({ data }) => {
    const { method, params }: Message = JSON.parse(String(data));
    if (method === 'Debugger.scriptParsed') sources.set(params.scriptId, sourcesOf(params));
    if (method !== 'Debugger.paused') return;
    const [{ location }] = params.callFrames;
    if (params.hitBreakpoints?.length > 0) onHit(sources.get(location.scriptId) ?? []);
    else send('Debugger.resume');
  });
}

/** The sources of a script: those in its source map, or the script itself. */
function sourcesOf({ url, sourceMapURL }: Message): string[] {
  if (!url.startsWith('file:')) return [];
  const [, map] = /^data:.*;base64,(.*)$/.exec(sourceMapURL ?? '') ?? [];
  if (map === undefined) return [fileURLToPath(url)];
  const { sources }: Message = JSON.parse(Buffer.from(map, 'base64').toString());
  return sources.map((source: string) => fileURLToPath(new URL(source, url)));
}
