import { closestMatch } from 'leven'

/** These keep suggestions fast. */
export const MAX_SUGGESTIONS = 100
const MAX_CANDIDATES = 1000

/** `; did you mean "x"?` when one of the candidates is nearly the word; otherwise nothing. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const maxDistance = Math.min(3, Math.floor(word.length / 3))
  const names = new Map(candidates.slice(0, MAX_CANDIDATES).map(name => [name.toLowerCase(), name]))
  const found =
    maxDistance > 0 ? closestMatch(word.toLowerCase(), [...names.keys()], { maxDistance }) : undefined
  return found === undefined ? '' : `; did you mean ${JSON.stringify(names.get(found))}?`
}
