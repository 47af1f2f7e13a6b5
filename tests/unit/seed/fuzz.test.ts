import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { parseSeed, readSeedFiles, SeedError } from '../../../src/seed.ts'
import { ownDirectory } from '../../support/folder.ts'
import { all } from '../../support/sample.ts'
import { model, texts, withConfig } from '../../support/seed-texts.ts'

/** A twentieth of them in `pnpm test`. */
const runs = (number: number) => (all ? number : number / 20)

/** Reads both texts and gives what came of it: documents, or mistakes that each stand somewhere in a file. */
function outcome(llms: string, agents: string) {
  const both = texts(llms, agents)
  try {
    return parseSeed(both, [])
  } catch (error) {
    if (!(error instanceof SeedError)) throw error
    expect(error.diagnostics.length).toBeGreaterThan(0)
    for (const { file, line = 0, column = 0, message } of error.diagnostics) {
      const { text } = file === both.llms.file ? both.llms : both.agents
      const lines = text.split('\n')
      expect(line).toBeGreaterThanOrEqual(1)
      expect(line).toBeLessThanOrEqual(lines.length)
      expect(column).toBeGreaterThanOrEqual(1)
      expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1)
      expect(message).not.toBe('')
    }
    return error
  }
}

const yamlPieces = fc.array(
  fc.constantFrom(
    ...'llms,agents,model_code,config,x,1,1.5,.nan,null,~,0x1F,9007199254740993,1e999,2001-01-01'.split(','),
    ...'- |: |:|? |{|}|[|]|, |#| # |"|\'|\\|\\0|\\uD800|&a |*a|&b |*b|<<|<<: |__proto__: '.split('|'),
    ...['!!str ', '!!set ', '!x ', '!<y> ', '|\n', '>-\n', '---\n', '...\n', '%YAML 1.1\n', '%TAG ! t\n'],
    ...['\n', '\n  ', '\n    ', '\t', '\0', '\r\n', '\r', '\uFEFF', '\u2028', '😀'],
  ),
  { maxLength: 60 },
)

test('any bytes give documents or mistakes, never another error', async () => {
  const directory = await ownDirectory()
  const files = { llms: join(directory, 'llms.yaml'), agents: join(directory, 'agents.yaml') }
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 200 }),
      fc.uint8Array({ maxLength: 50 }),
      async (llms, agents) => {
        await Promise.all([writeFile(files.llms, llms), writeFile(files.agents, agents)])
        const result = await readSeedFiles(files, []).catch(error => error)
        if (result instanceof Error) expect(result).toBeInstanceOf(SeedError)
      },
    ),
    { numRuns: runs(300) },
  )
})

test('any mixture of the pieces of YAML gives documents, or mistakes that stand in the text', () => {
  fc.assert(
    fc.property(yamlPieces, yamlPieces, (llms, agents) => void outcome(llms.join(''), agents.join(''))),
    { numRuns: runs(3000) },
  )
})

test('any structure in the place of entries gives documents or mistakes', () => {
  const field = fc.constantFrom('model_code', 'provider', 'display_name', 'status', 'config', 'extra')
  const value = fc.oneof(fc.string(), fc.constantFrom('active', 'm', '', ' '), fc.jsonValue({ maxDepth: 3 }))
  const entry = fc.oneof(fc.dictionary(field, value), fc.jsonValue({ maxDepth: 2 }))
  const file = fc.oneof(fc.record({ llms: fc.array(entry) }), fc.jsonValue({ maxDepth: 3 }))
  fc.assert(
    fc.property(file, value => void outcome(stringify(value), '')),
    { numRuns: runs(1000) },
  )
})

/** What is a mistake for a reason: NUL, and integers that are not sure to be exact. */
function isRefused(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\0')
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value)
  return typeof value === 'object' && value !== null && Object.entries(value).flat().some(isRefused)
}

test('settings are read as the very JSON that was written', () => {
  const json = fc.jsonValue({ stringUnit: 'binary', maxDepth: 4 })
  const config = fc.dictionary(fc.string({ unit: 'binary' }), json).filter(written => !isRefused(written))
  fc.assert(
    fc.property(config, written => {
      const files = texts([], [])
      files.llms.text = JSON.stringify({ llms: [model('m', { config: written })] })
      const { models } = parseSeed(files)
      expect(JSON.stringify(models[0]?.config)).toBe(JSON.stringify(written))
    }),
    { numRuns: runs(1000) },
  )
})

test('anchors, aliases and merges mean what they mean to the YAML library, or are mistakes', () => {
  const { tree } = fc.letrec<{ tree: string; bare: string }>(tie => ({
    tree: fc.oneof(
      { maxDepth: 4, depthSize: 'medium' },
      fc.constantFrom('1', 'x', '*a', '*b'),
      tie('bare'),
      fc.tuple(fc.constantFrom('&a ', '&b '), tie('bare')).map(parts => parts.join('')),
    ),
    bare: fc.oneof(
      fc.array(tie('tree'), { maxLength: 3 }).map(items => `[${items.join(', ')}]`),
      fc
        .uniqueArray(fc.tuple(fc.constantFrom('p', 'q', 'r', '<<'), tie('tree')), {
          selector: ([key]) => key,
          maxLength: 4,
        })
        .map(pairs => `{ ${pairs.map(([key, value]) => `${key}: ${value}`).join(', ')} }`),
    ),
  }))
  let read = 0
  fc.assert(
    fc.property(fc.array(tree, { minLength: 1, maxLength: 4 }), trees => {
      const text = `[${trees.join(', ')}]`
      const result = outcome(withConfig(`all: ${text}`), '')
      if (result instanceof Error) return
      read += 1
      const expected = parse(text, { merge: true, maxAliasCount: -1 })
      expect(result.models[0]?.config).toEqual({ all: expected })
    }),
    { numRuns: runs(2000) },
  )
  expect(read).toBeGreaterThan(runs(200))
})
