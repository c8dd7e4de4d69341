import { randomUUID } from 'node:crypto';
import picocolors from 'picocolors';

/**
 * Whether the output has colours: not with NO_COLOR, TERM=dumb, FORCE_COLOR=0 or FORCE_COLOR=false, and not in a file.
 * picocolors takes each value of FORCE_COLOR for a request of colours.
 */
export const isColored = !/^(?:0|false)$/.test(process.env['FORCE_COLOR'] ?? '') && picocolors.isColorSupported;

/** Stands for the escape character in our own texts. It is random, so that no file and no argument contains it. */
export const escape = randomUUID();

const formatters = picocolors.createColors(isColored);

function painter(paint: (text: string) => string): (text: string) => string {
  const [start = '', end = ''] = paint('\0').replaceAll('\x1B', escape).split('\0');
  return (text) => `${start}${text}${end}`;
}

/** Colours for texts that pass through `visible`, which lets these colours through and no other escape sequence. */
const colors = {
  bold: painter(formatters.bold),
  dim: painter(formatters.dim),
  red: painter(formatters.red),
  green: painter(formatters.green),
  yellow: painter(formatters.yellow),
  cyan: painter(formatters.cyan),
};

export default colors;
