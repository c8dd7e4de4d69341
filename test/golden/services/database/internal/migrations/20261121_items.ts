import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table "items" (
      "id" uuid primary key,
      "version" bigint not null,
      "name" text collate "C" not null,
      "quantity" bigint not null,
      "created_at" timestamptz not null,
      "updated_at" timestamptz not null
    );
    alter table "items" add constraint "items_name_check"
      check (char_length("name") >= 1 and char_length("name") <= 200);
    alter table "items" add constraint "items_quantity_check"
      check ("quantity" >= 0 and "quantity" <= 1000000);
    create index "items_created_at_idx" on "items" ("created_at", "id");
    create index "items_name_idx" on "items" ("name", "id");
  `.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`
    drop table "items";
  `.execute(db);
}
