import { rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { migrate, status } from '../../../src/migrate.ts'
import { ownDatabase, type TestDatabase } from '../../support/database.ts'
import { kitMigrates, outcome } from '../../support/drizzle-kit.ts'
import { copyOfMigrations } from '../../support/folder.ts'
import { names } from '../../support/migrations.ts'
import { root } from '../../support/root.ts'
import { readRows } from '../../support/rows.ts'
import { sample } from '../../support/sample.ts'

const contract = 'rename_catalog_and_drop_user_agents'

/** The migrations before the named one, with a configuration for drizzle-kit beside their folder. */
async function cutBefore(title: string): Promise<string> {
  const folder = await copyOfMigrations()
  const cut = names.findIndex(name => name.endsWith(`_${title}`))
  for (const later of names.slice(cut)) await rm(join(folder, later), { recursive: true })
  const config = { dialect: 'postgresql', schema: join(root, 'src/schema.ts'), out: './drizzle' }
  await writeFile(
    join(dirname(folder), 'drizzle.config.mjs'),
    `export default { ...${JSON.stringify(config)}, dbCredentials: { url: process.env.DATABASE_URL } }\n`,
  )
  return folder
}

const cases = {
  'drizzle-kit and migrate leave the rows of users alike': async () => {
    const filled = 'baseline of 100 users and 500 memories'
    const [ours, theirs] = [await ownDatabase(filled), await ownDatabase(filled)]
    await migrate(ours.db)
    await kitMigrates(theirs)
    expect(await outcome(theirs)).toEqual(await outcome(ours))
    const rows = ({ admin }: TestDatabase) => readRows(admin, ['public', 'auth', 'archive'])
    // Profiles are stamped when their settings are repaired.
    const [{ 'public.profiles': _, ...found }, { 'public.profiles': __, ...expected }] = [
      await rows(theirs),
      await rows(ours),
    ]
    expect(found).toEqual(expected)
    const profiles = ({ admin }: TestDatabase) =>
      admin`select id, username, bio, settings::text from public.profiles order by id`
    expect([...(await profiles(theirs))]).toEqual([...(await profiles(ours))])
  },

  'they can be used alternately, either going on where the other left off': async () => {
    const folder = await cutBefore(contract)
    const [kitFirst, oursFirst, alone] = [
      await ownDatabase('stub_old'),
      await ownDatabase('stub_old'),
      await ownDatabase('today'),
    ]
    const expected = await outcome(alone)

    await kitMigrates(kitFirst, folder)
    expect((await status(kitFirst.db)).pending[0]).toContain(contract)
    await migrate(kitFirst.db)
    expect(await outcome(kitFirst)).toEqual(expected)

    await migrate(oursFirst.db, { folder })
    await kitMigrates(oursFirst)
    expect(await outcome(oursFirst)).toEqual(expected)

    // Once all is applied, neither does anything more.
    const ledger = () => alone.admin`select m::text from drizzle.__drizzle_migrations m order by id`
    const before = [...(await ledger())]
    await kitMigrates(alone)
    expect((await migrate(alone.db)).applied).toEqual([])
    expect([...(await ledger())]).toEqual(before)
  },
}

test.for(sample('drizzle-kit', Object.entries(cases), 1))('%s', ([, proves]) => proves())
