declare module 'json-stringify-nice' {
  /** Prints JSON as npm does: keys are sorted, preferred keys come first, objects come last. */
  export default function stringifyNice(
    value: unknown,
    firstKeys?: readonly string[],
    indent?: number | string,
  ): string;
}
