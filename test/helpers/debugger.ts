import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A program and where it is to stop. */
export interface Debuggee {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** An absolute path. */
  readonly file: string;
  /** From 0. */
  readonly line: number;
}

/** A message of the inspector: https://chromedevtools.github.io/devtools-protocol/v8/Debugger/ */
type Message = ReturnType<typeof JSON.parse>;

/**
 * Runs a command as an editor does to debug it: each Node process waits for the debugger, gets a breakpoint, and goes on.
 * @param debuggee what is run; all of its processes end before this returns
 * @param urge called again and again, until it stops where it should
 * @returns the source files that the place belongs to, as an editor finds them
 * @throws Error when two minutes pass without the breakpoint
 */
export async function stopAt({ command, args, cwd, env, file, line }: Debuggee, urge: () => void): Promise<string[]> {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env, NODE_OPTIONS: '--inspect-brk=0' },
    // A group of its own: it ends as a whole.
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

/** One process: told where to stop, then let go from its first line. */
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

/** Where a script comes from: what its source map says, or itself. */
function sourcesOf({ url, sourceMapURL }: Message): string[] {
  if (!url.startsWith('file:')) return [];
  const [, map] = /^data:.*;base64,(.*)$/.exec(sourceMapURL ?? '') ?? [];
  if (map === undefined) return [fileURLToPath(url)];
  const { sources }: Message = JSON.parse(Buffer.from(map, 'base64').toString());
  return sources.map((source: string) => fileURLToPath(new URL(source, url)));
}
