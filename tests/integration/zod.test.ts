import { eq } from 'drizzle-orm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { llms, memories, profiles, systemAgents } from '../../src/index.ts'
import * as validators from '../../src/zod.ts'
import { sharedDatabase, signUp } from '../support/database.ts'

const database = sharedDatabase('today')
const llm = { modelCode: 'm', provider: 'p', displayName: 'M', status: 'active' }

// Text of whatever kind: half characters, NUL and emoji too.
const text = (maxLength: number) =>
  fc.oneof(
    fc.string({ maxLength, unit: 'binary' }),
    fc.string({ maxLength, unit: fc.constantFrom('a', '😀', '\0', '\ud800', 'ß') }),
  )
const json = fc.jsonValue({ stringUnit: 'binary', maxDepth: 4 })

test('what passes to be inserted comes back as it was, and passes as a row', async () => {
  let passed = 0
  const value = fc.record({
    modelCode: text(110),
    provider: text(60),
    displayName: text(110),
    status: text(25),
    config: fc.dictionary(fc.string({ unit: 'binary' }), json),
  })
  await fc.assert(
    fc.asyncProperty(value, async row => {
      if (!validators.insertLlm.safeParse(row).success) return
      passed += 1
      const [stored] = await database.db.insert(llms).values(validators.insertLlm.parse(row)).returning()
      expect(validators.selectLlm.parse(stored)).toEqual(stored)
      // JSON knows no -0.
      expect(stored).toMatchObject(JSON.parse(JSON.stringify(row)))
      await database.db.delete(llms)
    }),
    { numRuns: 300 },
  )
  expect(passed).toBeGreaterThan(30)
})

test('text that is refused is what PostgreSQL refuses, or changes', async () => {
  await fc.assert(
    fc.asyncProperty(text(110), async displayName => {
      const row = { ...llm, displayName }
      const stored = await database.db
        .insert(llms)
        .values(row)
        .returning()
        .catch(() => [])
      await database.db.delete(llms)
      const passes = validators.insertLlm.safeParse(row).success
      expect(passes).toBe(stored[0]?.displayName === displayName)
    }),
    { numRuns: 100 },
  )
})

test('rows pass that the database has made: by a sign-up, by default, with any UUID', async () => {
  const { db, admin } = database
  const id = await signUp(admin, { id: '11111111-1111-1111-1111-111111111111' })
  const [profile] = await db.select().from(profiles).where(eq(profiles.id, id))
  expect(validators.selectProfile.parse(profile)).toEqual(profile)

  const [model] = await db.insert(llms).values(llm).returning()
  const agent = validators.insertSystemAgent.parse({ agentType: 'T', llmId: model!.id, status: 'active' })
  const [stored] = await db.insert(systemAgents).values(agent).returning()
  expect(validators.selectSystemAgent.parse(stored)).toEqual(stored)

  const memory = validators.insertMemory.parse({
    userId: id,
    memoryType: 'work',
    content: 'x',
    status: 'active',
  })
  const [remembered] = await db.insert(memories).values(memory).returning()
  expect(validators.selectMemory.parse(remembered)).toEqual(remembered)
})
