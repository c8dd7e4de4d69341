import { readFileSync } from 'node:fs';
import { Ajv, type ErrorObject } from 'ajv';

/** A bill of materials, with the fields that the tests read. */
export interface BillOfMaterials {
  readonly components: readonly { readonly group?: string; readonly name: string; readonly version: string }[];
}

/** The common prefix of the schemas' ids. */
const address = 'http://cyclonedx.org/schema/';
const isBill = compile();

function compile() {
  const ajv = new Ajv({ strict: false, validateFormats: false });
  for (const part of ['spdx', 'jsf-0.82', 'cryptography-defs'])
    ajv.addSchema(schema(part), `${address}${fileName(part)}`);
  return ajv.compile(schema('bom-1.6'));
}

function schema(name: string): object {
  const file = `node_modules/@cyclonedx/cyclonedx-library/res/schema/${fileName(name)}`;
  return JSON.parse(readFileSync(file, 'utf8'));
}

function fileName(name: string): string {
  return `${name}.SNAPSHOT.schema.json`;
}

/**
 * @param document a bill of materials
 * @returns the differences from the schema of CycloneDX 1.6; unknown keys are differences
 */
export function faultsOfBill(document: unknown): ErrorObject[] {
  return isBill(document) ? [] : (isBill.errors ?? []);
}

/**
 * @param bill a bill of materials
 * @returns the names of its packages
 */
export function packagesOf({ components }: BillOfMaterials): string[] {
  return components.map(({ group, name }) => (group === undefined ? name : `${group}/${name}`));
}
