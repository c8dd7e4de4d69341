import { composeAgents } from './agents.ts';
import { composeCi } from './ci/index.ts';
import { composeContract } from './contract.ts';
import { composeContainers } from './containers.ts';
import type { Composer } from './composer.ts';
import { composeLockfile } from './lockfile.ts';
import { composeConfigDocs } from './configDocs.ts';
import { composeConfigEnv } from './configEnv.ts';
import { composeEnvExample } from './envExample.ts';
import { composeGitAttributes } from './gitAttributes.ts';
import { composeKustomization } from './kustomization.ts';
import { composeManifestSchema } from './manifestSchema.ts';
import { composeModulesDocs } from './modulesDocs.ts';
import { composePackageJson } from './packageJson.ts';
import { composePackageManagerSettings } from './packageManagerSettings.ts';
import { composeResources } from './resources.ts';
import { composeWiring } from './wiring.ts';

/** Each shared file has exactly one composer. */
export const composers: readonly Composer[] = [
  composePackageJson,
  composeLockfile,
  composePackageManagerSettings,
  composeWiring,
  composeResources,
  composeContainers,
  composeKustomization,
  composeConfigEnv,
  composeEnvExample,
  composeConfigDocs,
  composeModulesDocs,
  composeAgents,
  composeCi,
  composeContract,
  composeManifestSchema,
  composeGitAttributes,
];
