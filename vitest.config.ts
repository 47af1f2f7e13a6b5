import { randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** Draws which of the exhaustive tests `pnpm test` runs. */
const seed = process.env.TEST_SEED ?? String(randomInt(1_000_000))

export default defineConfig(({ mode }) => {
  const project = (name: string, options = {}) => ({
    test: {
      name,
      include: [`tests/${name}/**/*.test.ts`],
      // Processes: they end for certain, and with them their connections.
      pool: 'forks' as const,
      isolate: false,
      // These end a hang. What a test waits for is an event, however slow the machine is.
      testTimeout: 300_000,
      hookTimeout: 300_000,
      env: { TEST_SEED: seed, TEST_ALL: mode === 'all' ? 'yes' : '' },
      ...options,
    },
  })
  const onServer = { globalSetup: './tests/support/run.ts' }
  process.env.TEST_SEED = seed
  return {
    test: {
      // One more than there are processors: some wait for a server.
      maxWorkers: availableParallelism() + 1,
      projects: [
        project('unit'),
        project('integration', onServer),
        // To install the package takes half a minute: only `pnpm test:all` does.
        project('exhaustive', {
          ...onServer,
          exclude: mode === 'all' ? [] : ['tests/exhaustive/package/**'],
        }),
      ],
    },
  }
})
