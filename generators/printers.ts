import { printDocument, printTypes } from '../templates/modules/contract/files/scripts/openapi/print.ts';
import type { Printers } from './engine/model.ts';

/** `npm run openapi` of a service prints its contract with the same code. */
export const printers: Printers = { document: printDocument, types: printTypes };
