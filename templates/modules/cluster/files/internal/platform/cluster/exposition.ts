/** What one process exposes, in the format of Prometheus or of OpenMetrics. */
export interface Exposition {
  /** Value of the label `worker`. */
  readonly worker: string;
  readonly text: string;
}

interface Family {
  /** HELP, TYPE, UNIT. */
  readonly comments: string[];
  readonly samples: string[];
}

/**
 * Joins what several processes expose: each sample keeps its value and says whose it is. Nothing is added up here: a sum is the right thing
 * for some metrics only, and Prometheus knows better which.
 * @param expositions of one format
 * @returns one text of that format
 */
export function join(expositions: readonly Exposition[]): string {
  const families = new Map<string, Family>();
  let ending = '';
  for (const { worker, text } of expositions) {
    let family: Family = { comments: [], samples: [] };
    let isKnown = false;
    for (const line of text.split('\n')) {
      if (line === '') continue;
      if (line === '# EOF') {
        ending = '# EOF\n';
        continue;
      }
      const name = /^# HELP (\S+)/.exec(line)?.[1];
      if (name !== undefined) {
        isKnown = families.has(name);
        family = families.get(name) ?? { comments: [], samples: [] };
        families.set(name, family);
      }
      if (!line.startsWith('#')) family.samples.push(labelled(line, worker));
      else if (!isKnown) family.comments.push(line);
    }
  }
  const lines = [...families.values()].flatMap(({ comments, samples }) => [...comments, ...samples]);
  return `${lines.join('\n')}\n${ending}`;
}

function labelled(sample: string, worker: string): string {
  const [, name = '', rest = ''] = /^([^{\s]+)(.*)$/.exec(sample) ?? [];
  const label = `worker="${worker}"`;
  return rest.startsWith('{') ? `${name}{${label},${rest.slice(1)}` : `${name}{${label}}${rest}`;
}
