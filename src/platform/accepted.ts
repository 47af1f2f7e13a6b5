import type { Difference } from '../catalog/compare.ts'

/**
 * Whether it takes a reason to accept a difference. It does not where something is only added, and not for clients: a
 * column, a constraint, an index, a trigger, a grant; nor for row level security where there was none.
 */
export function needsReason({ fact, expected, found }: Difference): boolean {
  if (fact === 'row level security') return found !== 'enabled'
  const isHarmless =
    /^(?:column|constraint|index|trigger) |^grants (?:.* )?to (?!(?:public|anon|authenticated)$)/
  return expected !== null || !isHarmless.test(fact ?? '')
}
