import type { CatalogueModule } from '../../generators/engine/model.ts';

/**
 * @param id the module's id
 * @param definition what the test is about
 * @returns a module of the catalogue that says nothing else
 */
export function sampleModule(id: string, definition: Partial<CatalogueModule> = {}): CatalogueModule {
  return { id, summary: `Module ${id}`, category: 'data', files: [], config: [], ...definition };
}
