import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { generateMigration, type Hint, type MissingHintsError, reconstruct } from 'drizzle-kit/api-postgres'
import { sql } from 'drizzle-orm'
import { parse } from 'libpg-query'
import { compare, type Difference } from '../src/catalog/compare.ts'
import { readCatalogs } from '../src/catalog/files.ts'
import { type Catalog, readCatalog } from '../src/catalog/read.ts'
import type { Database } from '../src/database.ts'
import { migrate, rollback } from '../src/migrate.ts'
import { readMigrations } from '../src/migrator/files.ts'
import { project } from '../src/platform/project.ts'
import { applySettings, execute, query, transaction } from '../src/query.ts'
import { fill } from '../tests/support/rows.ts'
import { missingExports, missingInCatalog } from './requirements.ts'
import { withScratchDatabase } from './scratch.ts'

/*
 * `pnpm generate --name x` writes the migration for what has changed in `src/schema`: the tables as drizzle-kit sees them, then
 * functions, triggers and grants; the way down; what PostgreSQL's catalogs and locks say of it. Then it goes up, down and up.
 * Without a name it does the second half again for the last migration, after an edit by hand. `--custom` begins with an empty one.
 */
const BREAKPOINT = '\n--> statement-breakpoint\n'
const root = join(import.meta.dirname, '..')
const { folder, scope } = project()
const sqlFolder = join(root, 'src/schema/sql')
const hintsFile = join(root, 'drizzle.hints.json')
const pathOf = (migration: string, file: string) => join(folder, migration, file)
const migrations = () => readdirSync(folder).sort()

const values = readOptions()
const found = values.name === undefined ? [] : await missingExports(root)
if (found.length > 0) stop('Nothing was generated:', found)
const last = values.name === undefined ? migrations().at(-1) : await generate(values.name)
if (last !== undefined) await complete(last)

/** Writes `migration.sql`, `snapshot.json` and `down.sql`, or nothing. @returns the migration's name, if anything has changed */
async function generate(name: string): Promise<string | undefined> {
  const before = migrations()
  const added = () => migrations().find(migration => !before.includes(migration))
  const forget = () => {
    const migration = added()
    if (migration !== undefined) rmSync(join(folder, migration), { recursive: true })
  }
  const interrupted = () => {
    forget()
    process.exit(130)
  }
  process.once('SIGINT', interrupted)
  try {
    return await write(name, before.at(-1) ?? '', added)
  } catch (error) {
    forget()
    return stop('Nothing was generated:', [error instanceof Error ? error.message : String(error)])
  } finally {
    process.off('SIGINT', interrupted)
  }
}

async function write(
  name: string,
  previous: string,
  added: () => string | undefined,
): Promise<string | undefined> {
  drizzleKit(name, values.custom)
  const changes = await findSqlChanges(previous, added())
  const missing = missingInCatalog(changes.after)
  if (missing.length > 0) throw new Error(missing.join('\n  '))
  if (added() === undefined) {
    if (changes.statements.length === 0) {
      console.log('src/schema has no change that the migrations lack')
      return undefined
    }
    drizzleKit(name, true)
  }
  const migration = added() ?? ''
  const path = pathOf(migration, 'migration.sql')
  const generated = readFileSync(path, 'utf8').replace(/^-- Custom SQL migration file.*\n?/, '')
  writeFileSync(path, joined([...generated.split(BREAKPOINT.trim()), ...changes.statements]))
  const down = [...changes.undo, ...(await reverse(migration, previous))]
  if (down.length > 0) writeFileSync(pathOf(migration, 'down.sql'), `${ignored(down)}${joined(down)}`)
  console.log(`wrote drizzle/${migration}`)
  return migration
}

/** Writes `catalog.json`, `locks.json` and the generated pages, and tries the migration. */
async function complete(migration: string): Promise<void> {
  try {
    await import('./catalogs.ts')
    await import('./diagrams.ts')
    await import('./api.ts')
    await goUpDownAndUp(migration)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    stop(
      `drizzle/${migration} does not work yet:`,
      [message],
      'Edit it, then run `pnpm generate` without a name.',
    )
  }
  for (const line of whatIsLost(migration)) console.log(`not restored: ${line}`)
  console.log(
    `Now say in the first lines of drizzle/${migration}/migration.sql why it is there, and run \`pnpm test\`.`,
  )
}

/** drizzle-kit asks for the hints that it misses, and exits with 2. */
function drizzleKit(name: string, custom = false): void {
  const args = ['generate', '--name', name, ...(custom ? ['--custom'] : ['--hints-file', hintsFile])]
  try {
    execFileSync(process.execPath, [join(root, 'node_modules/drizzle-kit/bin.cjs'), ...args], {
      cwd: root,
      stdio: 'inherit',
    })
  } catch (error) {
    process.exit((error as { status?: number }).status ?? 1)
  }
}

interface SqlChanges {
  after: Catalog
  /** Of the files in `src/schema/sql` that change anything. */
  statements: string[]
  undo: string[]
}

/** Applies `src/schema/sql` after the new tables, a statement at a time, and keeps those that make a difference. */
async function findSqlChanges(previous: string, migration: string | undefined): Promise<SqlChanges> {
  const up = readMigrations(folder).find(({ name }) => name === migration)?.up.statements ?? []
  return await withScratchDatabase(async ({ db }) => {
    await migrate(db, { to: previous })
    return await transaction(db, async tx => {
      const applied = await readCatalog(tx, scope)
      const definitions = await readDefinitions(tx)
      await applySettings(tx, { search_path: 'public' })
      for (const statement of up) await execute(tx, sql.raw(statement.sql))
      const changes: SqlChanges = { after: await readCatalog(tx, scope), statements: [], undo: [] }
      for (const file of readdirSync(sqlFolder)) {
        const statements: string[] = []
        const before = changes.after
        for (const statement of await split(readFileSync(join(sqlFolder, file), 'utf8'))) {
          const was = changes.after
          await execute(tx, sql.raw(statement))
          changes.after = await readCatalog(tx, scope)
          if (compare(was, changes.after).length > 0) statements.push(statement)
        }
        const differences = compare(before, changes.after)
        // What it takes away, it may give again.
        if (differences.length > 0) changes.statements.push(...statements)
        changes.undo.push(...differences.flatMap(difference => undoOf(difference, applied, definitions)))
      }
      // What is called goes last.
      const rank = (statement: string) => Number(statement.startsWith('drop function'))
      changes.undo = [...new Set(changes.undo)].sort((a, b) => rank(a) - rank(b))
      return changes
    })
  })
}

/** The functions as they are, by their names in a catalog. */
async function readDefinitions(tx: Database): Promise<Map<string, string>> {
  const rows = await query<{ name: string; definition: string }>(
    tx,
    sql`select oid::regprocedure::text as name, pg_get_functiondef(oid) as definition
          from pg_proc where pronamespace in ('public'::regnamespace, 'archive'::regnamespace) and prokind = 'f'`,
  )
  return new Map(rows.map(({ name, definition }) => [`function ${name}`, definition.trimEnd()]))
}

/** What makes a function, a trigger or a grant what it was. What belongs to a new table goes with it. */
function undoOf(
  { object, fact, expected }: Difference,
  before: Catalog,
  definitions: Map<string, string>,
): string[] {
  const isFunction = object.startsWith('function ')
  if (isFunction && !(object in before)) return [`drop ${object}`]
  if (!(object in before) || fact === null) return []
  const [, kind, name] = /^(trigger|grants to) (.+)$/.exec(fact) ?? []
  const on = object.replace(/^(?:table|view) /, '')
  if (kind === 'trigger' && expected === null) return [`drop trigger ${name} on ${on}`]
  if (kind === 'trigger')
    return [(expected ?? '').replace(/^CREATE (CONSTRAINT )?TRIGGER/, `create or replace $1trigger ${name}`)]
  if (kind === 'grants to') {
    const revoke = `revoke all on ${object.replace(/^view /, 'table ')} from ${name}`
    return expected === null
      ? [revoke]
      : [revoke, `grant ${expected} on ${object.replace(/^view /, 'table ')} to ${name}`]
  }
  return isFunction ? [definitions.get(object) ?? ''] : []
}

/** The statements of a file, each with the comments above it. */
async function split(text: string): Promise<string[]> {
  const bytes = Buffer.from(text)
  const { stmts = [] } = await parse(text)
  return stmts.map(({ stmt_location: from = 0, stmt_len: length }) =>
    bytes.toString('utf8', from, length === undefined ? bytes.length : from + length).trim(),
  )
}

/** drizzle-kit's statements from one migration to another. Renames are turned round; all else is dropped and created. */
async function reverse(from: string, to: string): Promise<string[]> {
  const snapshots = Object.fromEntries(
    migrations().map(name => [name, JSON.parse(readFileSync(pathOf(name, 'snapshot.json'), 'utf8'))]),
  )
  const [now, then] = await Promise.all([from, to].map(name => reconstruct(snapshots, snapshots[name].id)))
  const hints = turned(JSON.parse(readFileSync(hintsFile, 'utf8')), tablesIn(then?.ddl ?? []))
  // An answer may lead to further questions.
  for (let attempt = 1; ; attempt++) {
    try {
      return await generateMigration(now ?? {}, then ?? {}, { hints })
    } catch (error) {
      const { missingHints = [] } = error as Partial<MissingHintsError>
      if (missingHints.length === 0 || attempt === 10) throw error
      hints.push(
        ...missingHints.map(
          hint => (hint.type === 'rename_or_create' ? { ...hint, type: 'create' } : hint) as Hint,
        ),
      )
    }
  }
}

function tablesIn(ddl: Awaited<ReturnType<typeof reconstruct>>['ddl']): Set<string> {
  return new Set(
    ddl.flatMap(entity => (entity.entityType === 'tables' ? `${entity.schema}.${entity.name}` : [])),
  )
}

/**
 * The renames the other way round. The history has more of them than this migration: a table that it renames is there before
 * under its earlier name.
 */
function turned(hints: Hint[], before: Set<string>): Hint[] {
  const renames = hints.filter(hint => hint.type === 'rename')
  const tables = new Map(
    renames
      .filter(({ kind, from }) => kind === 'table' && before.has(from.join('.')))
      .map(({ from, to }) => [to.join('.'), from]),
  )
  return renames.map(hint => {
    const place = hint.kind === 'table' ? undefined : tables.get(hint.to.slice(0, 2).join('.'))
    const at = (id: readonly string[]) => (place ? [...place, ...id.slice(2)] : id)
    return { ...hint, from: at(hint.to), to: at(hint.from) } as Hint
  })
}

function joined(statements: string[]): string {
  const ended = statements
    .map(statement => statement.trim())
    .filter(Boolean)
    .map(text => text.replace(/;?$/, ';'))
  return `${ended.join(BREAKPOINT)}\n`
}

/** A line that lets squawk pass what undoing cannot do without. */
function ignored(statements: string[]): string {
  const path = join(folder, 'down.sql')
  writeFileSync(path, joined(statements))
  const squawk = join(root, 'node_modules/.bin/squawk')
  const { stdout } = spawnSync(squawk, ['--reporter', 'json', path], {
    cwd: root,
    encoding: 'utf8',
  })
  rmSync(path)
  const rules = [
    ...new Set((JSON.parse(stdout) as { rule_name: string }[]).map(({ rule_name }) => rule_name)),
  ]
  return rules.length > 0
    ? `-- squawk-ignore-file ${rules.sort().join(', ')} -- undoes the migration\n\n`
    : ''
}

/** @throws Error where the way down ends in another database than the way up began in, or a statement fails */
async function goUpDownAndUp(migration: string): Promise<void> {
  const catalogs = readCatalogs(folder)
  const previous = migrations().at(-2) ?? ''
  await withScratchDatabase(async ({ db, own }) => {
    await migrate(db, { to: 'grant_agent_tables' })
    await fill(own, { users: 20, memories: 60 })
    await migrate(db)
    if (!existsSync(pathOf(migration, 'down.sql'))) return
    await rollback(db, { to: previous })
    const differences = compare(catalogs.get(previous) ?? {}, await readCatalog(db, scope))
    if (differences.length > 0) {
      const lines = differences.map(({ message }) => message)
      throw new Error(['after down.sql the database is not what it was:', ...lines].join('\n  '))
    }
    await migrate(db)
  })
}

/** What one way drops or changes, and the other does not bring back. */
function whatIsLost(migration: string): string[] {
  const read = (file: string) =>
    existsSync(pathOf(migration, file)) ? readFileSync(pathOf(migration, file), 'utf8') : ''
  const find = (file: string, what: string) => {
    const pattern = new RegExp(`^(?:ALTER TABLE (\\S+) )?${what} ("[^;\\s]+)`, 'gm')
    const names = [...read(file).matchAll(pattern)].map(([, ...name]) => name.filter(Boolean).join('.'))
    return [...new Set(names)].map(name => name.replaceAll('"', ''))
  }
  if (read('down.sql') === '')
    return ['anything: without down.sql, `rollback` refuses to undo this migration']
  const drop = 'DROP (?:COLUMN|TABLE)'
  const refuse = 'raise an error in down.check.sql'
  return [
    ...find('migration.sql', drop).map(
      name => `${name}: down.sql makes it again, but does not fill it. Keep a copy in archive, or ${refuse}.`,
    ),
    ...find('down.sql', drop).map(
      name => `${name}: a rollback drops what was written there. If that matters, ${refuse}.`,
    ),
    ...find('down.sql', 'ALTER COLUMN').map(
      name => `${name}: a rollback stops at, or shortens, what does not fit. If that may be, ${refuse}.`,
    ),
  ]
}

function readOptions() {
  const usage = 'usage: pnpm generate [--name WHAT_IT_DOES [--custom]]'
  try {
    const { values } = parseArgs({ options: { name: { type: 'string' }, custom: { type: 'boolean' } } })
    const isWrong = values.name === undefined ? values.custom : !/^\w+$/.test(values.name)
    if (!isWrong) return values
    console.error(`A migration needs a name of letters, digits and underscores\n${usage}`)
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`)
  }
  return process.exit(2)
}

function stop(title: string, lines: string[], advice = ''): never {
  console.error([title, ...lines.map(line => `  ${line}`), advice].filter(Boolean).join('\n'))
  process.exit(1)
}
