import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { type JsonObject, seed } from '../../../src/seed.ts'
import { sharedDatabase } from '../../support/database.ts'
import { documents, model, withConfig } from '../../support/seed-texts.ts'

const database = sharedDatabase('today')
beforeEach(async () => {
  await database.admin`truncate llms, system_agents cascade`
})

/** Seeds settings as they stand in the file; gives the fields that changed. */
async function write(config: string): Promise<string[]> {
  const { llms } = await seed(database.db, documents(withConfig(config), []))
  return llms.updated.flatMap(({ changes }) => changes.map(({ field }) => field))
}

const version = async () => (await database.admin`select xmin::text, config::text from llms`)[0]

describe('settings are stored as the JSON they stand for, and the next run writes nothing', () => {
  test.each([
    ['truth, one and 1.0', 'a: true\nb: 1\nc: 1.0\nd: "1"', '{"a": true, "b": 1, "c": 1, "d": "1"}'],
    ['numbers at their ends', 'a: 9007199254740991\nb: 1e20\nc: 0.1\nd: -0.0', undefined],
    ['the smallest and largest doubles', 'a: 5e-324\nb: 1.7976931348623157e308', undefined],
    ['hexadecimal and octal', 'a: 0x1F\nb: 0o17', '{"a": 31, "b": 15}'],
    [
      'keys that look like numbers',
      'a: { "10": x, "9": y, "01": z }',
      '{"a": {"9": "y", "01": "z", "10": "x"}}',
    ],
    ['keys that are special in JavaScript', '__proto__: { a: 1 }\nconstructor: c', undefined],
    ['yes and no, which are text', 'a: yes\nb: no', '{"a": "yes", "b": "no"}'],
    ['text like values', 'a: "null"\nb: "true"\nc: "1"', '{"a": "null", "b": "true", "c": "1"}'],
    ['nothing', 'a: null\nb: ~\nc:', '{"a": null, "b": null, "c": null}'],
    [
      'anchors and merges',
      'a: &a { x: 1, y: 2 }\nb: { <<: *a, y: 3 }',
      '{"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}}',
    ],
    ['line breaks', 'a: |\n  one\n  two\nb: |-\n  one\nc: ""', '{"a": "one\\ntwo\\n", "b": "one", "c": ""}'],
    ['whatever Unicode has', 'a: "\\u0001\\u2028\\uFFFF😀e\\u0301"', undefined],
    ['a megabyte on one line', `a: "${'Be kind. '.repeat(120_000)}"`, undefined],
  ])('%s', async (_, config, expected) => {
    await write(config)
    const written = await version()
    if (expected !== undefined) expect(written?.config).toBe(expected)
    const source = documents(withConfig(config), [])
    expect(JSON.parse(written?.config)).toEqual(
      JSON.parse(JSON.stringify(source.documents.models[0]?.config)),
    )
    expect(await write(config)).toEqual([])
    expect(await version()).toEqual(written)
  })

  test('whatever JSON there is', async () => {
    const value = fc.jsonValue({ stringUnit: 'grapheme', maxDepth: 4 })
    const settings = fc.sample(fc.dictionary(fc.string(), value), { numRuns: 300, seed: 1 })
    const source = { documents: { models: settings.map(modelOf), agents: [], references: [], notes: [] } }
    await seed(database.db, source)
    const rows = await database.admin`select model_code, config from llms`
    expect(new Map(rows.map(row => [row.model_code, row.config]))).toEqual(
      new Map(settings.map((config, i) => [`m${i}`, JSON.parse(JSON.stringify(config))])),
    )
    const { llms } = await seed(database.db, source)
    expect(llms.unchanged).toHaveLength(300)
  })
})

const modelOf = (config: object, i: number) => ({
  ...model(`m${i}`),
  status: 'active' as const,
  config: config as JsonObject,
})

describe('what is different is written, and only that', () => {
  test.each([
    ['1', 'true'],
    ['1', '"1"'],
    ['null', '"null"'],
    ['[]', '{}'],
    ['[1, 2]', '[2, 1]'],
    ['{ "1": a }', '{ "01": a }'],
    ['9007199254740990', '9007199254740991'],
    ['0.1', '0.10000000000000002'],
    ['"é"', '"e\\u0301"'],
  ])('%s is not %s', async (one, other) => {
    await write(`a: ${one}\nb: 1`)
    expect(await write(`a: ${other}\nb: 1`)).toEqual(['config.a'])
    expect(await write(`a: ${other}\nb: 1`)).toEqual([])
    expect(await write(`a: ${one}\nb: 1`)).toEqual(['config.a'])
  })

  test.each([
    ['1', '1.0'],
    ['100', '1e2'],
    ['0', '-0'],
    ['0.5', '.5'],
    ['{ x: 1, y: { a: 1, b: 2 } }', '{ y: { b: 2, a: 1 }, x: 1 }'],
    ['"é"', '"\\u00e9"'],
    ['{ x: &n 1, y: 1 }', '{ x: &n 1, y: *n }'],
  ])('%s is %s', async (one, other) => {
    await write(`a: ${one}`)
    expect(await write(`a: ${other}`)).toEqual([])
  })
})
