import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packagedMigrations } from '../../../src/migrate.ts'

/** Every script of the package's migrations, without its comments. */
const scripts = readdirSync(packagedMigrations(), { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.sql'))
  .map(file => ({
    file,
    text: readFileSync(join(packagedMigrations(), file), 'utf8').replace(/--.*$/gm, ''),
  }))

test('every migration has a way back, and says what the catalogs hold after it', () => {
  const folder = packagedMigrations()
  const files = readdirSync(folder).map(name => readdirSync(join(folder, name)))
  const needed = ['catalog.json', 'down.sql', 'migration.sql', 'snapshot.json']
  for (const found of files) expect(found).toEqual(expect.arrayContaining(needed))
})

test('no statement drops a trigger or a policy: on auth.users that would lock out whoever signs up', () => {
  expect(scripts.filter(({ text }) => /\bdrop\s+table\b/i.test(text))).not.toEqual([])
  expect(scripts.filter(({ text }) => /\bdrop\s+(trigger|policy)\b/i.test(text))).toEqual([])
})

test('no statement sleeps: locks are held for as long as the work takes, and no longer', () => {
  expect(scripts.filter(({ text }) => /\bpg_sleep/i.test(text))).toEqual([])
})
