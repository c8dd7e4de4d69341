import picocolors from 'picocolors';

/**
 * Whether the output has colours: not with NO_COLOR, TERM=dumb, FORCE_COLOR=0 or FORCE_COLOR=false, and not in a file.
 * picocolors takes each value of FORCE_COLOR for a request of colours.
 */
export const isColored = !/^(?:0|false)$/.test(process.env['FORCE_COLOR'] ?? '') && picocolors.isColorSupported;

export default picocolors.createColors(isColored);
