import { expect } from 'vitest'

/** Awaits what nothing announces. The limit ends a hang; it says nothing of how long it may take. */
export function eventually<T>(question: () => T) {
  return expect.poll(question, { interval: 5, timeout: 240_000 })
}
