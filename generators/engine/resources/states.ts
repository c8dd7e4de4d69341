import { badInput } from '../errors.ts';
import type { Field } from '../model.ts';
import { didYouMean } from '../suggest.ts';
import { verbOf } from './verbs.ts';

/** One way to change the state. Several transitions may have one verb: then they lead to one state. */
export interface Transition {
  readonly from: string;
  readonly to: string;
  /** In kebab-case. It ends the path of the route: `POST /orders/{id}/confirm`. */
  readonly verb: string;
}

const verbPattern = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const longestVerb = 30;
const mostTransitions = 200;

/** The use cases of every resource. */
const ownVerbs = new Set([
  ...['create', 'list', 'get', 'change', 'update', 'delete'],
  // Listeners get these in place of the name of a transition.
  ...['created', 'changed', 'deleted'],
]);

/**
 * Parses the transitions of a field.
 * @param field an enum; its first value is the first state
 * @param text `created>confirmed:confirm, confirmed>shipped>returned`; a verb that is not there is derived from the state
 * @returns the transitions in the order of the text
 * @throws SlipwayError (exit code 2) that names the transition and what is wrong
 */
export function parseStates(field: Field, text: string): Transition[] {
  const { name, type, list, optional, values: states = [] } = field;
  const fail = (message: string, hint?: string): Error => badInput(`states of "${name}": ${message}`, hint);
  if (type !== 'enum' || list || optional) throw fail('the field is no required enum', `write ${name}:enum(...)`);
  const marked = (['immutable', 'private', 'unique'] as const).find((mark) => field[mark]);
  if (marked !== undefined) throw fail(`the field cannot be ${marked}`);
  if (field.default !== undefined && field.default !== states[0])
    throw fail(`the default is not the first state, "${states[0]}"`);
  const transitions = text.split(',').flatMap((chain) => parseChain(chain.trim(), fail));
  if (transitions.length > mostTransitions) throw fail(`there are more than ${mostTransitions} transitions`);
  for (const [index, { from, to, verb }] of transitions.entries()) {
    const unknown = [from, to].find((state) => !states.includes(state));
    if (unknown !== undefined)
      throw fail(`"${from}>${to}": there is no state "${unknown}"`, didYouMean(unknown, states));
    if (from === to) throw fail(`"${from}>${to}" leads to where it begins`);
    if (!verbPattern.test(verb) || verb.length > longestVerb)
      throw fail(`"${verb}" is no verb`, `write lower-case words with hyphens, at most ${longestVerb} characters`);
    if (ownVerbs.has(verb))
      throw fail(`every resource has "${verb}" already`, `choose another verb: ${from}>${to}:submit`);
    for (const other of transitions.slice(0, index)) {
      if (other.from === from && other.to === to) throw fail(`"${from}>${to}" is there twice`);
      if (other.verb === verb && other.to !== to)
        throw fail(`"${verb}" leads to "${other.to}" and to "${to}"`, 'give one of them another verb');
    }
  }
  const lost = unreached(states, transitions);
  if (lost.length > 0)
    throw fail(
      `no transition leads from "${states[0]}" to "${lost.join('", "')}"`,
      'add one, or leave the state out of the enum',
    );
  return transitions;
}

/**
 * @param transitions of one field
 * @returns their text in the canonical form of the manifest
 */
export function printStates(transitions: readonly Transition[]): string {
  return transitions.map(({ from, to, verb }) => `${from}>${to}:${verb}`).join(', ');
}

/** `a>b>c:verb` is `a>b, b>c:verb`. */
function parseChain(chain: string, fail: (message: string, hint?: string) => Error): Transition[] {
  const steps = chain.split('>').map((step) => {
    const [state = '', ...verb] = step.split(':');
    return { state: state.trim(), verb: verb.join(':').trim() };
  });
  const [first] = steps;
  if (steps.length < 2 || first?.verb !== '')
    throw fail(`"${chain.slice(0, 60)}" is no transition`, 'write created>confirmed, or created>confirmed:confirm');
  return steps.slice(1).map(({ state, verb }, index) => {
    const from = steps[index]?.state ?? '';
    const derived = verb === '' ? verbOf(state) : verb;
    if (derived === undefined)
      throw fail(`no verb is known for "${from}>${state}"`, `write one: ${from}>${state}:activate`);
    return { from, to: state, verb: derived };
  });
}

function unreached(states: readonly string[], transitions: readonly Transition[]): string[] {
  const reached = new Set(states.slice(0, 1));
  // The loop also visits the states that it adds.
  for (const state of reached) for (const { from, to } of transitions) if (from === state) reached.add(to);
  return states.filter((state) => !reached.has(state));
}
