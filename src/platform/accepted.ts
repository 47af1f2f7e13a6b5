import type { Difference } from '../catalog/compare.ts'

/**
 * Whether it takes a reason to accept a difference. It does not where something is only added, and not for clients: a
 * column, a constraint, an index, a trigger, a grant.
 */
export function needsReason({ fact, expected }: Difference): boolean {
  const isHarmless =
    /^(?:column|constraint|index|trigger) |^grants (?:.* )?to (?!(?:public|anon|authenticated)$)/
  return expected !== null || !isHarmless.test(fact ?? '')
}
