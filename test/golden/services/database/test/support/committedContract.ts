import document from '../../api/openapi.json' with { type: 'json' };
import { Contract } from './contract.ts';

/** What the service promises: `api/openapi.json`. */
export const contract = new Contract(document);
