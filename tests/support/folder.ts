import { mkdtempSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, onTestFinished } from 'vitest'
import { packagedMigrations } from '../../src/migrate.ts'

/** An empty directory for the test that calls it; its path. */
export async function ownDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'agents-db-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** The same for all tests of the file or group that calls it. */
export function sharedDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'agents-db-'))
  afterAll(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** A folder of migrations, by their names and those of their files, for the test that calls it. */
export async function folderOf(migrations: Record<string, Record<string, string>>): Promise<string> {
  const folder = await ownDirectory()
  for (const [name, files] of Object.entries(migrations)) {
    await mkdir(join(folder, name))
    for (const [file, text] of Object.entries(files)) await writeFile(join(folder, name, file), text)
  }
  return folder
}

/** The package's migrations, for the test that calls it to alter. */
export async function copyOfMigrations(): Promise<string> {
  const folder = join(await ownDirectory(), 'drizzle')
  await cp(packagedMigrations(), folder, { recursive: true })
  return folder
}
