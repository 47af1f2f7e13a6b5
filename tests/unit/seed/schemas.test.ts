import { readFile } from 'node:fs/promises'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { seedSchemas } from '../../../scripts/seed-schemas.ts'
import { root } from '../../support/root.ts'
import { agent, diagnosticsOf, model } from '../../support/seed-texts.ts'

test.each(seedSchemas())(
  '%s is what the seed itself checks: generating it again yields no difference',
  async (name, text) => {
    expect(await readFile(`${root}/seeds/${name}`, 'utf8')).toBe(text)
  },
)

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
    key === 'llms' ? diagnosticsOf(JSON.stringify(value), '') : diagnosticsOf('', JSON.stringify(value))

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
