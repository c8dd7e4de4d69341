import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Context, current, detach, finishDetachedWork, giveUpDetachedWork, recorder, runWith } from './index.ts';

function contextFor(ms: number): Context {
  return new Context({ id: 'r-1', deadline: performance.now() + ms });
}

describe('detached work', () => {
  it('outlives the request, and keeps its id, in a trace of its own', async () => {
    const request = contextFor(10);
    const work = runWith(request, () =>
      detach('mail', async () => {
        await sleep(30);
        return current();
      }),
    );
    request.cancel();
    const context = await work;
    expect(context.id).toBe('r-1');
    expect(context.trace.traceId).not.toBe(request.trace.traceId);
    expect(context.deadline).toBe(Infinity);
  });

  it('runs in the context that a recorder gives it', async () => {
    const request = contextFor(1000);
    const recorded = new Context({ id: 'r-2' });
    const given: Record<string, Context | undefined> = { mail: recorded };
    request.set(recorder, { fetch, detached: (name) => given[name] });
    const idIn = (name: string) => runWith(request.child(), () => detach(name, async () => current().id));
    expect(await Promise.all([idIn('mail'), idIn('audit')])).toEqual(['r-2', 'r-1']);
    expect(recorded.signal.aborted).toBe(true);
  });

  it('sees none of the end of what it was started from', async () => {
    const request = contextFor(1000);
    const aborted = runWith(request.child(), () =>
      detach('mail', async () => {
        request.cancel();
        return current().signal.aborted;
      }),
    );
    expect(await aborted).toBe(false);
  });
});

describe('the end of detached work', () => {
  it('is that of the last piece, also of one that another has begun, and of one that failed', async () => {
    const ended: string[] = [];
    const piece = async (name: string, ms: number): Promise<void> => {
      await sleep(ms);
      ended.push(name);
    };
    const long = detach('long', () => piece('long', 30)).then(() => detach('next', () => piece('next', 10)));
    const failing = detach('failing', () => piece('failing', 10).then(() => Promise.reject(new Error('no'))));
    failing.catch(() => detach('retry', () => piece('retry', 10)));
    await finishDetachedWork();
    expect(ended.toSorted()).toEqual(['failing', 'long', 'next', 'retry']);
    await long;
    await expect(failing).rejects.toThrow('no');
    expect(giveUpDetachedWork()).toEqual({});
  });

  it('comes to all that goes on when it is given up: its signal aborts, and it is counted by its name', async () => {
    const wait = async (): Promise<unknown> => {
      const { signal } = current();
      await sleep(60_000, undefined, { signal }).catch(() => undefined);
      return signal.reason;
    };
    const work = [detach('mail', wait), detach('mail', wait), detach('audit', wait)];
    expect(giveUpDetachedWork()).toEqual({ mail: 2, audit: 1 });
    const stopped = expect.objectContaining({ code: 'cancelled', cause: new Error('the service stops') });
    expect(await Promise.all(work)).toEqual([stopped, stopped, stopped]);
    await finishDetachedWork();
  });
});
