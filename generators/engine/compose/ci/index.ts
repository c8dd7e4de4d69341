import type { CiProvider } from '../../manifest.ts';
import type { Composer } from '../composer.ts';
import { githubWorkflow } from './github.ts';
import { gitlabPipeline } from './gitlab.ts';
import { pipeline } from './model.ts';

const providers: Readonly<Record<CiProvider, { path: string; print: typeof githubWorkflow }>> = {
  github: { path: '.github/workflows/ci.yaml', print: githubWorkflow },
  gitlab: { path: '.gitlab-ci.yml', print: gitlabPipeline },
};

/** The CI files, one for each provider in the manifest, all from the same pipeline. */
export const composeCi: Composer = ({ manifest, catalogue, modules }) => {
  const jobs = pipeline(modules);
  const context = { packageManager: manifest.packageManager, nodeVersion: catalogue.node.image };
  return manifest.ci.map((provider) => {
    const { path, print } = providers[provider];
    return [path, { text: print(jobs, context), ownership: 'merged' }] as const;
  });
};
