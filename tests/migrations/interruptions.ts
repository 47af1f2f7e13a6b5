import { beforeAll, describe, expect, inject, test } from 'vitest'
import { type Interruption, interruptEverywhere } from '../support/interruptions.ts'
import { names } from '../support/migrations.ts'
import { fill } from '../support/rows.ts'
import { connect, createTemplate } from '../support/templates.ts'

const baseline = names.findIndex(name => name.endsWith('secure_the_agent_tables'))

/** Every migration, interrupted at each of its statements on one way. */
export function describeInterruptions(title: string, way: 'up' | 'down', interrupt: Interruption): void {
  const filled = `filled_${process.pid}`

  beforeAll(async () => {
    await createTemplate(inject('run'), filled, 'baseline', async ({ adminUrl }) => {
      const admin = connect(adminUrl, { max: 1 })
      await fill(admin, { users: 6, memories: 24 })
      await admin.end()
    })
  })

  describe(title, () => {
    test.each(names.map((name, index) => ({ name, index })))(
      `$name ${way}: the state before or after, and a rerun finishes`,
      { timeout: 300_000 },
      async ({ name, index }) => {
        // Before the baseline there is no user whose rows could be lost; the first way back refuses where there is.
        const from = index > baseline ? filled : 'standin_old'
        const previous = names[index - 1]
        const [prepare, step] =
          way === 'up'
            ? [previous === undefined ? undefined : { way: 'up' as const, to: previous }, { way, to: name }]
            : [
                { way: 'up' as const, to: name },
                { way, to: previous },
              ]
        const statements = await interruptEverywhere(
          name,
          `${way}_${index}`,
          step,
          from,
          prepare,
          interrupt,
          {
            everything: index === 0,
          },
        )
        expect(statements).toBeGreaterThan(1)
      },
    )
  })
}
