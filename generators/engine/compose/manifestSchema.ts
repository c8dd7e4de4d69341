import { schemaPath } from '../manifest.ts';
import { manifestSchema } from '../manifestSchema.ts';
import type { Composer } from './composer.ts';

/** The manifest's JSON Schema. With it, an editor validates `slipway.json` without a network. */
export const composeManifestSchema: Composer = ({ catalogue }) => [
  [schemaPath, { text: `${JSON.stringify(manifestSchema(catalogue), null, 2)}\n`, ownership: 'managed' }],
];
