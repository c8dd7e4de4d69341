import { ROOT_CONTEXT, SpanKind, TraceFlags } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';
import type { Static } from 'typebox';
import type { Tracing } from '../app/tracing.ts';
import type { config } from './config.ts';

type Settings = Pick<Static<typeof config>, 'OTEL_TRACES_SAMPLER' | 'OTEL_TRACES_SAMPLER_ARG'>;

/** One decision, asked for in two ways. */
export interface Sampling {
  /** Before a span is made, by what is known of the request alone: nearly all requests then cost no span. */
  readonly isSampled: Tracing['isSampled'];
  /** When a span is made, for the SDK. */
  readonly sampler: Sampler;
}

const parentBased = 'parentbased_';

/**
 * @param settings name and argument of the sampler; `sdk-trace` does not read them by itself
 * @returns what they stand for
 */
export function samplingOf({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: ratio }: Settings): Sampling {
  const heedsParent = name.startsWith(parentBased);
  const root = rootOf(name.replace(parentBased, ''), ratio);
  const linking = followLinks(root);
  return {
    isSampled: (traceId, parent) =>
      heedsParent && parent !== undefined
        ? parent.sampled
        : root.shouldSample(ROOT_CONTEXT, traceId, '', SpanKind.SERVER, {}, []).decision ===
          SamplingDecision.RECORD_AND_SAMPLED,
    sampler: heedsParent ? new ParentBasedSampler({ root: linking }) : linking,
  };
}

function rootOf(name: string, ratio: number): Sampler {
  if (name === 'always_on') return new AlwaysOnSampler();
  if (name === 'always_off') return new AlwaysOffSampler();
  return new TraceIdRatioBasedSampler(ratio);
}

/** Work that was detached is recorded when what it was started from is. */
function followLinks(root: Sampler): Sampler {
  return {
    shouldSample: (...args) => {
      const links = args[5];
      return links.some(({ context }) => Boolean(context.traceFlags & TraceFlags.SAMPLED))
        ? { decision: SamplingDecision.RECORD_AND_SAMPLED }
        : root.shouldSample(...args);
    },
    toString: () => `FollowLinks{${root.toString()}}`,
  };
}
