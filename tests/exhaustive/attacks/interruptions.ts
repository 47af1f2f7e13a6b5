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
import { baseline, names, namesAfter } from '../../support/migrations.ts'
import { sample, seedOf } from '../../support/sample.ts'

/** Every migration on one way, interrupted wherever it can be. */
export function describeInterruptions(way: 'up' | 'down'): void {
  describe.for(sample(`interruptions ${way}`, names, 1))(`%s ${way}`, name => {
    // More rows than a batch has. Before the baseline there is no user whose rows could be lost.
    const filled = namesAfter(baseline).includes(name)
    const from = filled ? 'baseline of 120 users and 600 memories' : 'stub_old'
    const scripts = scriptsOf(name, way)
    const positions = scripts.flatMap(positionsIn)
    // Its online part, if it has one, has run before the transaction.
    const expectBefore = scripts.some(isOnline) ? expectOnTheWay : expectUntouched
    let passage: Passage
    let shared: TestDatabase
    beforeAll(async () => {
      passage = await preparePassage(name, way, from)
      shared = await createDatabase(passage.template)
      return shared.drop
    })

    test('a connection cut at any statement of the transaction leaves the state before, and a rerun finishes', async () => {
      for (const position of positions.filter(position => !isOnline(position))) {
        await cutAt(passage, position, shared)
        await expectBefore(passage, shared)
      }
      await cutAtCommit(passage, shared)
      await expectOnTheWay(passage, shared)
      await expectRerun(passage, shared)
    })

    test.for(positions.filter(isOnline))(
      'a connection cut $when statement $statement of $file leaves a state that a rerun goes on from',
      async position => {
        const own = await ownDatabase(passage.template)
        await cutAt(passage, position, own)
        await expectOnTheWay(passage, own)
        await expectRerun(passage, own)
      },
    )

    const killed = scripts.flatMap(script => {
      const places = positionsIn(script).filter(({ when }) => !when.startsWith('while'))
      return isOnline(script) ? places : [places[seedOf(`${name} ${script.file}`) % places.length]!]
    })
    test.for(killed)(
      'a process killed $when statement $statement of $file leaves a state that a rerun goes on from',
      async position => {
        const own = await ownDatabase(passage.template)
        await killAt(passage, position, own)
        await expectBefore(passage, own)
        await expectRerun(passage, own)
      },
    )
  })
}
