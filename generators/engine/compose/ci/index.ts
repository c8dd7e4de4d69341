import type { CatalogueModule, CiProvider } from '../../model.ts';
import { packageManagerDefinitions } from '../../packageManagers/index.ts';
import { templateContext } from '../../template.ts';
import { placeOf } from '../../manifest.ts';
import type { Composer, ComposeInput } from '../composer.ts';
import { githubWorkflow, workflowPath } from './github.ts';
import { gitlabPipeline } from './gitlab.ts';
import { pipeline } from './model.ts';

const providers: Readonly<Record<CiProvider, { path: string; print: typeof githubWorkflow }>> = {
  github: { path: workflowPath, print: githubWorkflow },
  gitlab: { path: '.gitlab-ci.yml', print: gitlabPipeline },
};

/** The CI files, one for each provider in the manifest. All are printed from the same pipeline. */
export const composeCi: Composer = (input) => {
  const { manifest, catalogue } = input;
  const jobs = pipeline(input.modules.map((module) => withOptions(module, input)));
  const context = {
    packageManager: packageManagerDefinitions[manifest.packageManager],
    nodeVersion: catalogue.node.image,
    place: placeOf(manifest),
    service: manifest.service.name,
  };
  return manifest.ci.map((provider) => {
    const { path, print } = providers[provider];
    return [path, { text: print(jobs, context), ownership: 'merged' }] as const;
  });
};

/** Replaces the module's options in the image of a CI service: `postgres:{option.version}`. */
function withOptions(module: CatalogueModule, { manifest, catalogue }: ComposeInput): CatalogueModule {
  const { options } = templateContext(manifest, module, catalogue);
  const imageOf = (image: string): string =>
    image.replace(/\{option\.(\w+)\}/g, (_, option: string) => String(options[option]));
  const additions = mapValues(module.ci?.additions ?? {}, (addition) => ({
    ...addition,
    services: mapValues(addition.services ?? {}, (service) => ({ ...service, image: imageOf(service.image) })),
  }));
  return { ...module, ci: { ...module.ci, additions } };
}

function mapValues<Value>(
  record: Readonly<Record<string, Value>>,
  map: (value: Value) => Value,
): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
