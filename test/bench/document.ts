const introduction = `# Performance

Written by \`npm run bench\`: candidates in turn (A B A B …), medians; ratios are what counts. \`npm run bench -- image restart\` measures
these sections alone and leaves the others as they are. Each says where it was measured.

ext4 makes new files slowly where many were deleted within the last five minutes: what the disk says right after a run of the tests says little.
`;

/** Heading → what stands below it. */
export type Sections = ReadonlyMap<string, string>;

/**
 * @param document docs/performance.md as it is
 * @returns its sections
 */
export function sectionsOf(document: string): Sections {
  const [, ...sections] = document.split(/^## /m);
  return new Map(
    sections.map((section) => {
      const end = section.indexOf('\n');
      return [section.slice(0, end), section.slice(end).trim()];
    }),
  );
}

/**
 * @param titles the headings in their order; a section of another heading is left out
 * @param before the sections as they were
 * @param measured those that were measured now
 * @returns docs/performance.md
 */
export function documentOf(titles: readonly string[], before: Sections, measured: Sections): string {
  const sections = titles.flatMap((title) => {
    const body = measured.get(title) ?? before.get(title);
    return body === undefined ? [] : [`## ${title}\n\n${body}\n`];
  });
  return [introduction, ...sections].join('\n');
}
