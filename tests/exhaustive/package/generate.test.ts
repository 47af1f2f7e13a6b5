import { readdirSync } from 'node:fs'
import { cp, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ownDirectory } from '../../support/folder.ts'
import { run } from '../../support/process.ts'
import { root } from '../../support/root.ts'
import { removeServer } from '../../support/server.ts'

const notes = `import { foreignKey, index, pgEnum, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { timestamps } from './columns.ts'
import { denyAll } from './deny-all.ts'
import { memories } from './memories.ts'

export const mood = pgEnum('mood', ['good', 'bad'])

export const notes = pgTable.withRLS(
  'notes',
  { id: uuid().primaryKey().defaultRandom(), memoryId: uuid('memory_id').notNull(), body: text(), mood: mood(), ...timestamps() },
  table => [
    foreignKey({ name: 'fk_notes_memory_id', columns: [table.memoryId], foreignColumns: [memories.id] }).onDelete('cascade'),
    index('ix_notes_memory_id').on(table.memoryId),
    ...denyAll('notes'),
  ],
)
`
const validators = `import { notes } from './schema.ts'
export const insertNote = createInsertSchema(notes)
export const selectNote = createSelectSchema(notes)
export const updateNote = createUpdateSchema(notes)
`
const trigger = `
create or replace trigger keep_updated_at
  before update on public.notes
  for each row execute function public.keep_updated_at();
`

/** A copy of this repository, for the test that calls it to alter. */
async function ownRepository() {
  const directory = join(await ownDirectory(), 'db')
  const left = new Set(['.git', '.data', 'dist', 'node_modules'].map(name => join(root, name)))
  await cp(root, directory, { recursive: true, filter: path => !left.has(path) })
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'))
  onTestFinished(() => removeServer(join(directory, '.data')))
  const read = (file: string) => readFile(join(directory, file), 'utf8')
  const migrations = () => readdirSync(join(directory, 'drizzle')).sort()
  return {
    migrations,
    readLast: (file: string) => read(`drizzle/${migrations().at(-1)}/${file}`),
    edit: async (file: string, change: (text: string) => string) => {
      const before = await read(file)
      expect(change(before), file).not.toBe(before)
      await writeFile(join(directory, file), change(before))
    },
    add: (file: string, text: string) => writeFile(join(directory, file), text),
    generate: async (...args: string[]) => {
      const tsx = join(root, 'node_modules/tsx/dist/cli.mjs')
      const { code, stdout, stderr } = await run(process.execPath, [tsx, 'scripts/generate.ts', ...args], {
        cwd: directory,
      })
      return { code, output: `${stdout}${stderr}` }
    },
  }
}

test('one command writes all of a migration, up and down, and refuses by name what a table lacks', async () => {
  const repository = await ownRepository()
  const { add, edit, generate, migrations, readLast } = repository
  const before = migrations()

  await add('src/schema/notes.ts', notes)
  const unseen = await generate('--name', 'add_notes')
  expect(unseen).toEqual({ code: 1, output: expect.stringContaining('notes: export it from src/schema.ts') })

  await edit('src/schema.ts', text => `${text}export * from './schema/notes.ts'\n`)
  const unchecked = await generate('--name', 'add_notes')
  expect(unchecked).toEqual({
    code: 1,
    output: expect.stringContaining('export a validator insertNote from src/zod.ts'),
  })

  await edit('src/zod.ts', text => `${text}${validators}`)
  const open = await generate('--name', 'add_notes')
  expect(open).toEqual({ code: 1, output: expect.stringContaining('public.notes: anon has all') })
  expect(open.output).toContain('public.notes: service_role may not select')
  expect(open.output).toContain('public.notes: updated_at never moves')
  expect(migrations()).toEqual(before)

  await edit('src/schema/sql/grants.sql', text =>
    text.replaceAll('public.memories,', 'public.memories, public.notes,'),
  )
  await edit(
    'src/schema/sql/keep_updated_at.sql',
    text => `${text.replace('now()', 'clock_timestamp()')}${trigger}`,
  )
  await edit('src/schema/profiles.ts', text => text.replace('    bio: text(),\n', '    language: text(),\n'))
  await edit('src/zod.ts', text => text.replaceAll(/ +bio: .*\n/g, ''))
  await add(
    'drizzle.hints.json',
    JSON.stringify([
      ...JSON.parse(await readFile(join(root, 'drizzle.hints.json'), 'utf8')),
      { type: 'create', kind: 'column', entity: ['public', 'profiles', 'language'] },
    ]),
  )
  const done = await generate('--name', 'add_notes')
  expect(done).toEqual({
    code: 0,
    output: expect.stringContaining('profiles.bio: down.sql makes it again, but does not fill it'),
  })
  expect(done.output).toContain('notes: a rollback drops what was written there')

  const up = await readLast('migration.sql')
  expect(up).toContain('ADD CONSTRAINT "fk_notes_memory_id" FOREIGN KEY')
  expect(up).toContain('CREATE TYPE "mood" AS ENUM')
  expect(up).toContain('DROP COLUMN "bio"')
  expect(up).toContain('grant select, insert, update, delete on public.llms, public.memories, public.notes,')
  expect(up).toContain('clock_timestamp()')
  expect(up).toContain('before update on public.notes')
  // It would lock the other tables for nothing.
  expect(up).not.toContain('before update on public.profiles')
  const down = await readLast('down.sql')
  expect(down).toContain('DROP TABLE "notes"')
  expect(down).toContain('ADD COLUMN "bio" text')
  expect(down).toMatch(
    /CREATE OR REPLACE FUNCTION public.keep_updated_at\(\)[^$]*\$function\$[^$]*:= now\(\)/,
  )
  expect(JSON.parse(await readLast('catalog.json'))).toHaveProperty(
    ['table public.notes', 'column mood'],
    'public.mood',
  )
  expect(JSON.parse(await readLast('locks.json'))).toHaveProperty('migration.sql')
})

test('a rename is asked for and then made both ways; a down script that leaves another database is refused', async () => {
  const { add, edit, generate, migrations, readLast } = await ownRepository()
  const before = migrations()
  await edit('src/schema/profiles.ts', text =>
    text.replace("avatarUrl: text('avatar_url')", "pictureUrl: text('picture_url')"),
  )
  await edit('src/zod.ts', text => text.replaceAll('avatarUrl', 'pictureUrl'))
  // Of a table that a migration before this one renamed.
  await edit('src/schema/system-agents.ts', text =>
    text.replace("varchar('agent_type'", "varchar('agent_kind'"),
  )
  const asked = await generate('--name', 'rename_avatar_url')
  expect(asked).toEqual({ code: 2, output: expect.stringContaining('Rename or create') })
  expect(migrations()).toEqual(before)

  await add(
    'drizzle.hints.json',
    JSON.stringify([
      ...JSON.parse(await readFile(join(root, 'drizzle.hints.json'), 'utf8')),
      {
        type: 'rename',
        kind: 'column',
        from: ['public', 'profiles', 'avatar_url'],
        to: ['public', 'profiles', 'picture_url'],
      },
      {
        type: 'rename',
        kind: 'column',
        from: ['public', 'system_agents', 'agent_type'],
        to: ['public', 'system_agents', 'agent_kind'],
      },
    ]),
  )
  expect(await generate('--name', 'rename_avatar_url')).toMatchObject({ code: 0 })
  expect(await readLast('migration.sql')).toContain('RENAME COLUMN "avatar_url" TO "picture_url"')
  expect(await readLast('down.sql')).toContain('RENAME COLUMN "picture_url" TO "avatar_url"')
  expect(await readLast('down.sql')).toContain('RENAME COLUMN "agent_kind" TO "agent_type"')

  await edit(`drizzle/${migrations().at(-1)}/down.sql`, text =>
    text.replace('TO "avatar_url"', 'TO "avatar"'),
  )
  const wrong = await generate()
  expect(wrong).toEqual({
    code: 1,
    output: expect.stringContaining('after down.sql the database is not what it was'),
  })
})
