import type { Insertable, Selectable } from 'kysely';
import type { Database } from '../platform/postgres/database.ts';
import { counted, paged, removed, written } from '../platform/resource/postgres.ts';
import type { Item, ItemRepository } from './domain.ts';

/** The table of items, as the migrations in `internal/migrations/` create it. */
export interface Tables {
  items: {
    id: string;
    version: number;
    name: string;
    quantity: number;
    created_at: string;
    updated_at: string;
  };
}

const table = 'items';
type Row = Selectable<Tables[typeof table]>;

/** What the database refuses: name of the constraint → the field. */
const constraints = {
  unique: {},
  references: {},
};

/**
 * @param database with the table
 * @returns items in PostgreSQL
 */
export function postgresItems({ db }: Pick<Database<Tables>, 'db'>): ItemRepository {
  const all = db.selectFrom(table).selectAll();
  return {
    async add(entity) {
      await written(constraints, () => db.insertInto(table).values(rowOf(entity)).execute());
    },
    async find(id) {
      const row = await all.where('id', '=', id).executeTakeFirst();
      return row && entityOf(row);
    },
    async list(query) {
      const rows = await paged(all, query).execute();
      return rows.map(entityOf);
    },
    countBy: (field) => counted(db.selectFrom(table), field),
    async save(entity) {
      const update = db.updateTable(table).set(rowOf(entity)).where('id', '=', entity.id);
      const next = update.where('version', '=', entity.version - 1);
      const { numUpdatedRows } = await written(constraints, () => next.executeTakeFirst());
      return numUpdatedRows > 0n;
    },
    async remove({ id, version }) {
      const row = db.deleteFrom(table).where('id', '=', id).where('version', '=', version);
      const { numDeletedRows } = await removed(() => row.executeTakeFirst());
      return numDeletedRows > 0n;
    },
  };
}

function rowOf(entity: Item): Insertable<Tables[typeof table]> {
  return {
    id: entity.id,
    version: entity.version,
    name: entity.name,
    quantity: entity.quantity,
    created_at: entity.createdAt,
    updated_at: entity.updatedAt,
  };
}

function entityOf(row: Row): Item {
  return {
    id: row.id,
    version: row.version,
    name: row.name,
    quantity: row.quantity,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
