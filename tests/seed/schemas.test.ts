import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { agent, mistakesOf, model } from './texts.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'seed-schemas-'))
})
afterAll(() => rm(directory, { recursive: true }))

function generate(...args: string[]): Promise<{ code: number; output: string }> {
  return new Promise(resolve =>
    execFile(
      process.execPath,
      ['--import', 'tsx', 'scripts/seed-schemas.ts', ...args],
      { cwd: root },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    ),
  )
}

describe('the JSON Schemas of the seed files', () => {
  test('are what the seed itself checks: generating them again yields no difference', async () => {
    expect(await generate('--check')).toEqual({ code: 0, output: '' })
  })

  test('are found out when they are not: the check exits 1, shows the difference and writes nothing', async () => {
    const stale = '{"type": "object"}\n'
    const file = join(directory, 'llms.schema.json')
    await writeFile(file, stale)
    await copyFile(`${root}/seeds/system_agents.schema.json`, join(directory, 'system_agents.schema.json'))
    const { code, output } = await generate('--check', '--directory', directory)
    expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining('-{"type": "object"}') })
    expect(output).not.toContain('system_agents')
    expect(await readFile(file, 'utf8')).toBe(stale)
  })
})

describe.each([
  ['llms', 'llms', model('m')],
  ['system_agents', 'agents', agent('T', 'm')],
])('the JSON Schema of %s.yaml', (name, key, entry) => {
  let accepts: (value: unknown) => boolean
  beforeAll(async () => {
    const schema = JSON.parse(await readFile(`${root}/seeds/${name}.schema.json`, 'utf8'))
    accepts = new Ajv2020({ strict: true }).compile(schema)
  })

  const mistakes = (value: object) =>
    key === 'llms' ? mistakesOf(JSON.stringify(value), '') : mistakesOf('', JSON.stringify(value))

  test('is named in the first line of the file, and accepts it', async () => {
    const text = await readFile(`${root}/seeds/${name}.yaml`, 'utf8')
    expect(text.split('\n')[0]).toBe(`# yaml-language-server: $schema=./${name}.schema.json`)
    expect(accepts(parse(text))).toBe(true)
  })

  test('describes every field, for the editor to show', async () => {
    const schema = JSON.parse(await readFile(`${root}/seeds/${name}.schema.json`, 'utf8'))
    const fields = schema.properties[key].items.properties
    expect(Object.keys(fields)).toEqual(Object.keys(entry))
    for (const [field, { description }] of Object.entries<{ description?: string }>(fields)) {
      expect(description, field).toMatch(/\.$/)
    }
  })

  test('accepts any settings, as the seed does', () => {
    expect(accepts({ [key]: [{ ...entry, config: { anything: [null, { at: 'all' }] } }] })).toBe(true)
    expect(accepts({ [key]: [] })).toBe(true)
    expect(accepts({})).toBe(true)
  })

  test.each([
    ['a list at the top', []],
    ['an unknown top-level key', { [key]: [], extra: 1 }],
    ['no list', { [key]: {} }],
    ['an entry that is text', { [key]: ['m'] }],
    ['an unknown field', { [key]: [{ ...entry, extra: 1 }] }],
    ['a missing field', { [key]: [{ ...entry, status: undefined }] }],
    ['a status that there is not', { [key]: [{ ...entry, status: 'on' }] }],
    ['a blank name', { [key]: [{ ...entry, [Object.keys(entry)[0]!]: ' ' }] }],
    ['a name longer than its column', { [key]: [{ ...entry, [Object.keys(entry)[0]!]: 'x'.repeat(101) }] }],
    ['settings that are a list', { [key]: [{ ...entry, config: [] }] }],
  ])('refuses %s, as the seed does', (_, value) => {
    expect(accepts(JSON.parse(JSON.stringify(value)))).toBe(false)
    expect(mistakes(value)).not.toEqual([])
  })
})
