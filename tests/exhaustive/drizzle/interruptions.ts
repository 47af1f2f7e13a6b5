import { beforeAll, describe, test } from 'vitest'
import { createDatabase, ownDatabase, type TestDatabase } from '../../support/database.ts'
import {
  cutAt,
  cutAtCommit,
  expectOnTheWay,
  expectRerun,
  expectUntouched,
  isOnline,
  killAt,
  type Passage,
  positionsIn,
  preparePassage,
  scriptsOf,
} from '../../support/interruptions.ts'
import { names, namesAfter } from '../../support/migrations.ts'
import { sample, seedOf } from '../../support/sample.ts'

const hasRows = namesAfter('secure_the_agent_tables')

/** Every migration on one way, interrupted wherever it can be. */
export function describeInterruptions(way: 'up' | 'down'): void {
  // Before the baseline there is no user whose rows could be lost; the first way back refuses where there is.
  const passages = names.map(name => ({ name, filled: hasRows.includes(name) }))

  describe.for(sample(`interruptions ${way}`, passages, 1))(`$name ${way}`, ({ name, filled }) => {
    // More rows than a batch has.
    const from = filled ? 'baseline of 120 users and 600 memories' : 'stub_old'
    const scripts = scriptsOf(name, way)
    const positions = scripts.flatMap(positionsIn)
    let passage: Passage
    beforeAll(async () => {
      passage = await preparePassage(name, way, from)
    })

    describe('a connection that is cut', () => {
      let database: TestDatabase
      beforeAll(async () => {
        database = await createDatabase(passage.template)
        return database.drop
      })

      test('at any statement of the transaction leaves the state before, and a rerun finishes', async () => {
        for (const position of positions.filter(position => !isOnline(position))) {
          // Its online part, if it has one, has run by then.
          const untouched = !scripts.some(isOnline)
          await cutAt(passage, position, database)
          await (untouched ? expectUntouched : expectOnTheWay)(passage, database)
        }
        await cutAtCommit(passage, database)
        await expectOnTheWay(passage, database)
        await expectRerun(passage, database)
      })

      test.for(positions.filter(isOnline))(
        '$when statement $statement of $file leaves a state that a rerun goes on from',
        async position => {
          const own = await ownDatabase(passage.template)
          await cutAt(passage, position, own)
          await expectOnTheWay(passage, own)
          await expectRerun(passage, own)
        },
      )
    })

    const killed = scripts.flatMap(script => {
      const places = positionsIn(script).filter(({ when }) => !when.startsWith('while'))
      return isOnline(script) ? places : [places[seedOf(`${name} ${script.file}`) % places.length]!]
    })
    test.for(killed)(
      'a process that is killed $when statement $statement of $file leaves a state that a rerun goes on from',
      async position => {
        const own = await ownDatabase(passage.template)
        await killAt(passage, position, own)
        await (scripts.some(isOnline) ? expectOnTheWay : expectUntouched)(passage, own)
        await expectRerun(passage, own)
      },
    )
  })
}
