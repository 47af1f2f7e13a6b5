import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../../support/root.ts'

/** `user_agents`, `UserAgent`, `user-agents`, `userAgents`, `user_agent_catalog`: in any letter case. */
const oldWord = /user[-_ ]?agent/i

/** Where the word stands: the names of files, and `file:line`. */
function places(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map(name => join(folder, name))
    .flatMap(path => [
      ...(oldWord.test(path) ? [path] : []),
      ...(statSync(join(root, path)).isFile() ? linesOf(path) : []),
    ])
}

function linesOf(path: string): string[] {
  return readFileSync(join(root, path), 'utf8')
    .split('\n')
    .flatMap((line, index) => (oldWord.test(line) ? [`${path}:${index + 1}`] : []))
}

test('the migrations, which must, speak of user_agents', () => {
  expect(places('drizzle').length).toBeGreaterThan(100)
})

test('src never speaks of user agents, in any spelling, but where it names the migration that archives them', () => {
  expect(readdirSync(join(root, 'src/schema')).length).toBeGreaterThan(4)
  expect(places('src').map(place => place.split(':')[0])).toEqual(['src/platform/archive.ts'])
})

test('seeds never speak of user agents, in any spelling', () => {
  expect(readdirSync(join(root, 'seeds'))).toContain('system_agents.yaml')
  expect(places('seeds')).toEqual([])
})
