import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll } from 'vitest'
import { readCatalogs } from '../../../src/catalog/files.ts'
import type { Catalog } from '../../../src/catalog/read.ts'
import { packagedMigrations } from '../../../src/migrate.ts'
import { readCatalog } from '../../support/catalog.ts'
import type { TestDatabase } from '../../support/database.ts'
import { last } from '../../support/migrations.ts'
import { readRows } from '../../support/rows.ts'

/** What the last of the package's migrations leaves. */
export const today: Catalog = readCatalogs(packagedMigrations()).get(last)!
/** The name of the further migration. */
export const idea = '29990101000000_a_later_idea'
const schemas = ['public', 'auth', 'archive']

async function makeFolder(catalog: boolean) {
  const parent = await mkdtemp(join(tmpdir(), 'agents-db-probes-'))
  const folder = join(parent, 'drizzle')
  await cp(packagedMigrations(), folder, { recursive: true })
  await mkdir(join(folder, idea))
  if (catalog) await cp(join(folder, last, 'catalog.json'), join(folder, idea, 'catalog.json'))
  return {
    folder,
    write: (text: string) => writeFile(join(folder, idea, 'migration.sql'), text),
    remove: () => rm(parent, { recursive: true, force: true }),
  }
}

/** The package's migrations and one more, which leaves the tables as the last one has them; for the tests of a file. */
export function furtherMigration({ catalog = true } = {}) {
  let made: Awaited<ReturnType<typeof makeFolder>>
  beforeAll(async () => {
    made = await makeFolder(catalog)
    return made.remove
  })
  return {
    get folder() {
      return made.folder
    },
    /** What the further migration does. */
    write: (text: string) => made.write(text),
  }
}

/** Whatever a probe could leave behind: schema, grants, sequences and rows. */
export async function everythingOf({ admin }: TestDatabase) {
  return {
    catalog: await readCatalog(admin, { archive: true }),
    grants: [
      ...(await admin`
        select oid::regclass::text as name, relacl::text as acl, xmin::text as version
          from pg_class where relnamespace::regnamespace::text = any (${[...schemas, 'drizzle']}) order by 1`),
    ],
    sequences: [
      ...(await admin`select schemaname, sequencename, last_value from pg_sequences order by 1, 2`),
    ],
    rows: await readRows(admin, [...schemas, 'drizzle']),
  }
}

/** The trigger of a sign-up, with another body. */
export const signUps = (body: string) => `
  create or replace function public.create_profile_for_new_user()
  returns trigger language plpgsql security definer set search_path = '' as $$
  begin ${body} end $$;`
