import { createHash } from 'node:crypto'

/** Whether every case of the exhaustive tests runs (`pnpm test:all`), and not a sample of them. */
export const all = Boolean(process.env.TEST_ALL)

/** A number that follows from TEST_SEED and a name, for whatever draws at random. */
export function seedOf(name: string): number {
  return createHash('sha256').update(`${process.env.TEST_SEED} ${name}`).digest().readUInt32LE()
}

/** Some of the cases, drawn by TEST_SEED, in their order; all of them in `pnpm test:all`. */
export function sample<T>(name: string, cases: readonly T[], size: number): T[] {
  if (all) return [...cases]
  const drawn = cases
    .map((_, index) => index)
    .sort((a, b) => seedOf(`${name} ${a}`) - seedOf(`${name} ${b}`))
    .slice(0, size)
  return cases.filter((_, index) => drawn.includes(index))
}
