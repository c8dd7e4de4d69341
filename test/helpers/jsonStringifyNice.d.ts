declare module 'json-stringify-nice' {
  /** Prints JSON as npm does: keys sorted, those that are named first, objects last. */
  export default function stringifyNice(
    value: unknown,
    firstKeys?: readonly string[],
    indent?: number | string,
  ): string;
}
