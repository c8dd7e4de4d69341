import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { type TObject, Type } from 'typebox';
import { Value } from 'typebox/value';
import { isScalar, parseAllDocuments, visit } from 'yaml';
import type { Module } from '../../internal/platform/app/module.ts';
import { settingsOf } from '../../internal/platform/app/run.ts';
import { ConfigError, checkConfig } from '../../internal/platform/config/config.ts';
import { importAll } from '../build.ts';
import type { Check } from '../production.ts';

/** The modules of the platform and the slices of the owner. */
const exported = await importAll('internal/**/module.ts', Type.Object({}));
const { schemas, rules } = settingsOf(exported.flatMap(Object.values).filter(isModule));
/** They are not in the repository: they count as set, to the value of their example. */
const secrets = Object.fromEntries(
  schemas
    .flatMap((schema: TObject) => Object.entries(schema.properties))
    .flatMap(([name, keywords]) => {
      const { secret, examples: [example = ''] = [] }: { secret?: boolean; examples?: readonly string[] } = keywords;
      return secret && Value.Check(keywords, example) ? [[name, example]] : [];
    }),
);

/** What `npm run production` looks for. */
export const checks: readonly Check[] = [{ what: 'the settings of each overlay are valid', look: settings }];

/** The server must accept, at its start, what each overlay gives it. */
function settings(root: string): string | undefined {
  const overlays = globSync('deploy/k8s/overlays/*/', { cwd: root }).toSorted();
  const faults = overlays.flatMap((overlay) => {
    const { error, status, stdout, stderr } = spawnSync('kubectl', ['kustomize', overlay], {
      cwd: root,
      encoding: 'utf8',
    });
    if (error) return `install kubectl, which reads ${overlay} (${error.message})`;
    if (status !== 0) return `${overlay}: ${stderr.trim()}`;
    try {
      checkConfig(schemas, environmentOf(stdout), rules);
      return [];
    } catch (fault) {
      if (!(fault instanceof ConfigError)) throw fault;
      return fault.message
        .split('\n')
        .slice(1)
        .map((line) => `${overlay}: ${line.trim()}`);
    }
  });
  return faults.length === 0 ? undefined : faults.map((fault) => `\n    ${fault}`).join('');
}

/** The environment of the server. The image sets `NODE_ENV`. */
function environmentOf(manifests: string): Record<string, string> {
  const env: Record<string, string> = { NODE_ENV: 'production', ...secrets };
  const documents = parseAllDocuments(manifests);
  const ofKind = (kind: string) => documents.filter((document) => document.get('kind') === kind);
  const add = (name: unknown, value: unknown): void => {
    if (typeof name === 'string' && typeof value === 'string') env[name] = value;
  };
  for (const map of ofKind('ConfigMap'))
    visit(map, { Pair: (_, { key, value }) => add(isScalar(key) && key.value, isScalar(value) && value.value) });
  // The variables of a container win over those of its ConfigMap.
  for (const server of ofKind('Deployment')) visit(server, { Map: (_, map) => add(map.get('name'), map.get('value')) });
  return env;
}

function isModule(value: unknown): value is Module {
  return typeof value === 'object' && value !== null && 'config' in value && 'start' in value;
}
