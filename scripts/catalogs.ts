import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import postgres from 'postgres'
import { formatCatalog } from '../src/catalog/files.ts'
import { readCatalog } from '../src/catalog/read.ts'
import { createDatabase } from '../src/database.ts'
import { startServer } from '../src/local/server.ts'
import { installSupabaseStub } from '../src/local/supabase-stub.ts'
import { migrate, packagedMigrations, status } from '../src/migrations/index.ts'

/*
 * Writes `catalog.json` of every migration, as a database that is new on the local server has it after that migration.
 * With `--check` nothing is written, and a file that is not as it would be written fails.
 */
const check = process.argv.includes('--check')
const folder = packagedMigrations()
const server = await startServer({ directory: '.data' })
const admin = postgres(server.adminUrl, { max: 1, onnotice: () => {} })
const name = `catalogs_${process.pid}`
const stale: string[] = []

await admin`create database ${admin(name)} template template0`
try {
  await prepare()
  const db = createDatabase(urlOf(server.url), { max: 2 })
  try {
    for (const migration of (await status(db)).pending) {
      await migrate(db, { to: migration })
      settle(migration, formatCatalog(await readCatalog(db)))
    }
  } finally {
    await db.$client.end()
  }
} finally {
  await admin`drop database ${admin(name)} with (force)`
  await admin.end()
}
if (stale.length > 0) {
  console.error(`not what a new database has; \`pnpm catalogs\` writes them:\n${stale.join('\n')}`)
  process.exitCode = 1
}

async function prepare(): Promise<void> {
  const own = postgres(urlOf(server.adminUrl), { max: 1, onnotice: () => {} })
  await installSupabaseStub(own, { deployer: new URL(server.url).username, grants: 'old', password: '' })
  await own.end()
}

function settle(migration: string, text: string): void {
  const path = join(folder, migration, 'catalog.json')
  if (existsSync(path) && readFileSync(path, 'utf8').replaceAll('\r\n', '\n') === text) return
  if (check) stale.push(path)
  else {
    writeFileSync(path, text)
    console.log(`wrote ${path}`)
  }
}

function urlOf(url: string): string {
  const own = new URL(url)
  own.pathname = `/${name}`
  return own.href
}
