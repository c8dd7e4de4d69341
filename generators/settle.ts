import { exitCodes, SlipwayError } from './engine/errors.ts';
import type { PlanEntry } from './engine/model.ts';
import { findFault } from './engine/reconcile/merge/merge.ts';
import { type ConflictRule, ruleFor } from './engine/reconcile/policy.ts';
import type { Prepared } from './engine/reconcile/prepare.ts';
import { decode, encode, sameBytes } from './engine/text.ts';
import type { Invocation } from './invocation.ts';
import { editText } from './io/editor.ts';
import { askConflict } from './prompts/conflict.ts';
import { conflictText } from './report/planText.ts';
import { oneLine, visible } from './report/visible.ts';

/** Plans with what the user chose for conflicts. */
type Prepare = (settled: readonly ConflictRule[]) => Prepared | Promise<Prepared>;

/**
 * Asks on the terminal what to do with each file that has conflicts. A file that a rule of the command line is for is not asked about.
 * @param prepare plans again with the answers
 * @param invocation how the command was called
 * @param first the plan with conflicts
 * @returns the plan with the answers
 * @throws SlipwayError (exit code 1) when the user cancels, or changes a file meanwhile; nothing is written
 */
export async function settleByAsking(prepare: Prepare, { flags }: Invocation, first: Prepared): Promise<Prepared> {
  const rules: ConflictRule[] = [];
  const seen = new Map<string, Uint8Array | undefined>();
  for (let prepared = first; ; prepared = await prepare(rules)) {
    refuseChanged(seen, prepared);
    const open = prepared.entries.filter(
      ({ action, path }) => action === 'conflict' && ruleFor([path], [...flags.conflicts, ...rules]) === undefined,
    );
    if (open.length === 0) return prepared;
    for (const [index, entry] of open.entries()) {
      seen.set(entry.path, prepared.before(entry.path));
      rules.push(await settled(entry, `Conflict ${index + 1} of ${open.length}`, prepare, rules));
    }
  }
}

/** The user has answered for the content that was shown. */
function refuseChanged(seen: ReadonlyMap<string, Uint8Array | undefined>, { before }: Prepared): void {
  for (const [path, shown] of seen) {
    const present = before(path);
    if (shown === present || (shown !== undefined && present !== undefined && sameBytes(shown, present))) continue;
    throw new SlipwayError(exitCodes.failed, `${path} has changed while its conflicts were settled`, {
      hint: 'run the command again; nothing was written',
    });
  }
}

async function settled(
  entry: PlanEntry,
  question: string,
  prepare: Prepare,
  rules: readonly ConflictRule[],
): Promise<ConflictRule> {
  const { path, reason, conflicts } = entry;
  say(`\n${conflictText(entry) || `  ${oneLine(`${path}: ${reason}`)}`}\n`);
  let draft: string | undefined;
  for (;;) {
    const answer = await askConflict(question, conflicts.length === 0);
    if (answer !== 'edit') return { paths: path, choice: answer };
    draft ??= await marked(path, prepare, rules);
    const edited = await editText(draft, path);
    if ('text' in edited) draft = edited.text;
    const fault = 'text' in edited ? faultOf(path, draft) : `was not edited: ${edited.reason}`;
    if (fault === undefined) return { paths: path, choice: 'markers', text: encode(draft) };
    say(`  ${oneLine(path)} ${fault}; edit it again, or choose another answer\n`);
  }
}

/** Returns the text of a file with both sides between conflict markers. */
async function marked(path: string, prepare: Prepare, rules: readonly ConflictRule[]): Promise<string> {
  const { entries } = await prepare([...rules, { paths: path, choice: 'markers' }]);
  const changes = entries.filter((entry) => entry.path === path).flatMap((entry) => entry.changes);
  const texts = changes.map((change) => ('write' in change ? decode(change.write) : undefined));
  return texts.find((text) => text !== undefined) ?? '';
}

/** Returns why an edited text is no result. */
function faultOf(path: string, text: string): string | undefined {
  const fault = findFault(path, text);
  return fault && `is not valid, line ${fault.line}: ${fault.message}`;
}

function say(text: string): void {
  process.stdout.write(visible(text));
}
