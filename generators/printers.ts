import { printDocument, printTypes } from '../templates/modules/contract/files/scripts/openapi/print.ts';
import type { Printers } from './engine/model.ts';

/** A service prints its contract with the same code: `npm run openapi`. */
export const printers: Printers = { document: printDocument, types: printTypes };
