import type { CatalogueModule } from '../../generators/engine/model.ts';

/**
 * @param id the module's id
 * @param definition the fields that the test is about
 * @returns a module of the catalogue with these fields only
 */
export function sampleModule(id: string, definition: Partial<CatalogueModule> = {}): CatalogueModule {
  return { id, summary: `Module ${id}`, category: 'data', files: [], config: [], ...definition };
}
