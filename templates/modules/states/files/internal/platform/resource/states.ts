import { Counter, Gauge, type Registry } from '@prometheus-io/client';
import { Type } from 'typebox';
import type { Entity, Listener } from '../../../pkg/resource/index.ts';
import { defineModule } from '../app/module.ts';
import type { Logger } from '../log/logger.ts';
import { metrics } from '../metrics/module.ts';

/** Counts the entities of one resource: state → number. */
type Count = () => Promise<ReadonlyMap<string, number>>;

/** A count reads a whole table, so that a scrape does not make one each time. */
const countEveryMs = 60_000;

/** Measures the states of all resources. */
export class StateMetrics {
  readonly #transitions: Counter<'resource' | 'from' | 'to'>;
  readonly #counts = new Map<string, Count>();

  /**
   * @param registry gets the metrics
   * @param log gets a line for each count that fails
   * @param now milliseconds of a clock
   */
  constructor(registry: Registry, log: Logger, now = () => performance.now()) {
    this.#transitions = new Counter({
      name: 'resource_transitions_total',
      help: 'Entities that this process moved from one state to another.',
      labelNames: ['resource', 'from', 'to'],
      registers: [registry],
    });
    const counts = this.#counts;
    let due = -Infinity;
    // The library calls `collect` with the gauge as `this`.
    const collect = async function collect(this: Gauge<'resource' | 'state'>): Promise<void> {
      if (now() < due) return;
      due = now() + countEveryMs;
      const counted = await Promise.all(
        Array.from(counts, async ([resource, count]) => {
          try {
            return { resource, states: await count() };
          } catch (err) {
            log.warn({ err, resource }, 'states not counted');
            return { resource, states: new Map<string, number>() };
          }
        }),
      );
      this.reset();
      for (const { resource, states } of counted)
        for (const [state, number] of states) this.set({ resource, state }, number);
    };
    registry.registerMetric(
      new Gauge({
        name: 'resource_entities',
        help: 'Stored entities by state; at most a minute old.',
        labelNames: ['resource', 'state'],
        registers: [],
        collect,
      }),
    );
  }

  /**
   * @param resource its name
   * @param field with the state
   * @param repository counts its entities by state
   * @param transitions how the state changes: each is 0 from the start, so that the first one is an increase
   * @returns counts transitions
   */
  watch<Field extends string>(
    resource: string,
    field: Field,
    repository: { countBy(field: NoInfer<Field>): ReturnType<Count> },
    transitions: Readonly<Record<string, { readonly from: readonly string[]; readonly to: string }>>,
  ): Listener<Entity & Readonly<Record<Field, string>>> {
    this.#counts.set(resource, () => repository.countBy(field));
    for (const { from, to } of Object.values(transitions))
      for (const state of from) this.#transitions.inc({ resource, from: state, to }, 0);
    return ({ before, entity }) => {
      if (before === undefined || before[field] === entity[field]) return;
      this.#transitions.inc({ resource, from: before[field], to: entity[field] });
    };
  }
}

/** The metrics of states, for all slices. */
export const stateMetrics = defineModule({
  name: 'state-metrics',
  config: Type.Object({}),
  requires: [metrics],
  start: ({ log, use }) => ({ value: new StateMetrics(use(metrics).registry, log) }),
});
