import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SeedError, seed } from '../../../src/seed.ts'
import { ownDatabase } from '../../support/database.ts'
import { ownDirectory } from '../../support/folder.ts'
import { all } from '../../support/sample.ts'
import { agent, model, texts } from '../../support/seed-texts.ts'

test('files changed at random write nothing when they are refused, and nothing the second time when they are not', async () => {
  const database = await ownDatabase('today')
  const directory = await ownDirectory()
  const files = { llms: join(directory, 'llms.yaml'), agents: join(directory, 'agents.yaml') }
  const right = texts([model('a'), model('b')], [agent('T', 'a'), agent('U', 'b')])
  const versions = () => database.admin`
    select xmin::text, ctid::text, model_code as key from llms
    union all select xmin::text, ctid::text, agent_type from system_agents order by key`
  const piece = fc.constantFrom(
    ...'\0\t\n -:?[]{},#&*!|>\'"%@~<.=1aé',
    '',
    '1.0',
    'true',
    '<<: *a',
    '&a ',
    '!!x ',
  )
  const put = fc.record({ first: fc.boolean(), at: fc.nat(), piece })
  const outcomes = { refused: 0, accepted: 0 }
  await fc.assert(
    fc.asyncProperty(put, async ({ first, at, piece }) => {
      const change = (text: string) =>
        text.slice(0, at % text.length) + piece + text.slice((at % text.length) + 1)
      await writeFile(files.llms, first ? change(right.llms.text) : right.llms.text)
      await writeFile(files.agents, first ? right.agents.text : change(right.agents.text))
      const before = await versions()
      const result = await seed(database.db, files).catch(error => error)
      if (result instanceof Error) {
        outcomes.refused += 1
        expect(result).toBeInstanceOf(SeedError)
        expect(await versions()).toEqual(before)
        return
      }
      outcomes.accepted += 1
      const written = await versions()
      const { llms, agents } = await seed(database.db, files)
      expect([llms.created, llms.updated, agents.created, agents.updated].flat()).toEqual([])
      expect(await versions()).toEqual(written)
    }),
    { numRuns: all ? 300 : 60 },
  )
  expect(outcomes.refused).toBeGreaterThan(0)
  expect(outcomes.accepted).toBeGreaterThan(0)
})
