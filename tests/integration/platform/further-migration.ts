import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll } from 'vitest'
import type { Probe } from '../../../src/catalog/project.ts'
import { packagedMigrations } from '../../../src/migrate.ts'
import { stateOf } from '../../support/catalog.ts'
import type { TestDatabase } from '../../support/database.ts'
import { sharedDirectory } from '../../support/folder.ts'
import { last } from '../../support/migrations.ts'

/** The name of the further migration. */
export const idea = '29990101000000_a_later_idea'

/** The package's migrations and one more, which leaves the tables as the last one has them; for the tests of a file. */
export function furtherMigration({ catalog = true } = {}) {
  const folder = join(sharedDirectory(), 'drizzle')
  beforeAll(async () => {
    await cp(packagedMigrations(), folder, { recursive: true })
    await mkdir(join(folder, idea))
    const files = [last, idea].map(name => join(folder, name, 'catalog.json')) as [string, string]
    if (catalog) await cp(...files)
  })
  /** Says what the further migration does. */
  const write = (text: string, file = 'migration.sql') => writeFile(join(folder, idea, file), text)
  return { folder, write }
}

/** Whatever a probe could leave behind: schema, grants, sequences and rows. */
export async function everythingOf({ admin }: TestDatabase) {
  const grants = await admin`
    select oid::regclass::text as name, relacl::text as acl, xmin::text as version from pg_class
     where relnamespace::regnamespace::text in ('public', 'auth', 'archive', 'drizzle') order by 1`
  const sequences = await admin`
    select schemaname, sequencename, last_value from pg_sequences order by 1, 2`
  return { ...(await stateOf({ admin })), grants: [...grants], sequences: [...sequences] }
}

/** The trigger of a sign-up, with another body. */
export const signUps = (body: string) => `
  create or replace function public.create_profile_for_new_user()
  returns trigger language plpgsql security definer set search_path = '' as $$
  begin ${body} end $$;`

export const notPassed = (probes: Probe[]) => probes.filter(({ outcome }) => outcome !== 'passed')
