import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { explainFailure, runOnTerminal } from './process.ts';

/**
 * Opens a text in the user's editor and waits until the editor ends. The editor is `$VISUAL`, else `$EDITOR`, as for Git.
 * @param text the text
 * @param name path of the file that the text is for; the editor sees its extension
 * @returns the text as the user saved it, or the reason why the editor failed
 */
export async function editText(text: string, name: string): Promise<{ text: string } | { reason: string }> {
  const editor = [process.env['VISUAL'], process.env['EDITOR']].find((value) => value?.trim());
  const command = editor ?? (process.platform === 'win32' ? 'notepad' : 'vi');
  const folder = mkdtempSync(path.join(os.tmpdir(), 'slipway-edit-'));
  // The name of the file comes from the service, so only a harmless extension becomes part of the command.
  const file = path.join(folder, `conflict${/\.\w{1,10}$/.exec(name)?.[0] ?? ''}`);
  try {
    writeFileSync(file, text);
    await runOnTerminal(`${command} "${file}"`, folder);
    return { text: readFileSync(file, 'utf8') };
  } catch (error) {
    return { reason: explainFailure(error, command) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
