import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { formatCatalog } from '../src/catalog/files.ts'
import { readCatalog } from '../src/catalog/read.ts'
import { status } from '../src/migrate.ts'
import { project } from '../src/platform/project.ts'
import { fill } from '../tests/support/rows.ts'
import { measureLocks } from './measure-locks.ts'
import { withScratchDatabase } from './scratch.ts'

/*
 * Applies all migrations to a new database on the local server, with rows in it from the baseline on, and writes
 * `catalog.json` and `locks.json` of each. With `--check` it writes nothing, and exits with 1 if a file is out of date.
 */
const check = process.argv.includes('--check')
const { folder, scope } = project()
const baseline = '_grant_agent_tables'
const stale: string[] = []

await withScratchDatabase(async ({ db, own }) => {
  for (const migration of (await status(db)).pending) {
    const locks = await measureLocks(db, project(), migration)
    writeOrCheck(migration, 'locks.json', `${JSON.stringify(locks, null, 2)}\n`)
    writeOrCheck(migration, 'catalog.json', formatCatalog(await readCatalog(db, scope)))
    if (migration.endsWith(baseline)) await fill(own, { users: 20, memories: 60 })
  }
})
if (stale.length > 0) {
  console.error(`out of date; \`pnpm catalogs\` writes them:\n${stale.join('\n')}`)
  process.exitCode = 1
}

function writeOrCheck(migration: string, file: string, text: string): void {
  const path = join(folder, migration, file)
  if (existsSync(path) && readFileSync(path, 'utf8').replaceAll('\r\n', '\n') === text) return
  if (check) stale.push(path)
  else {
    writeFileSync(path, text)
    console.log(`wrote ${relative('', path)}`)
  }
}
