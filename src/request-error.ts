import { isStorable, NOT_STORABLE } from './json.ts'

export type RequestErrorCode =
  /** There is no such user, or no profile of theirs. */
  | 'UNKNOWN_USER'
  /** There is no system agent of that type. */
  | 'UNKNOWN_AGENT'
  /** The user has no such memory; another user may. */
  | 'UNKNOWN_MEMORY'
  /** A value cannot be taken; the message says which, and why. */
  | 'INVALID_VALUE'

/** Why what a user asked for was not done. Nothing has been written then. */
export class RequestError extends Error {
  override name = 'RequestError'
  readonly code: RequestErrorCode

  constructor(code: RequestErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Refuses a text that is blank, too long for its column, or that PostgreSQL cannot store. */
export function requireText(name: string, text: string, most = Number.POSITIVE_INFINITY): void {
  let problem = isStorable(text) ? undefined : NOT_STORABLE
  if (text.trim() === '') problem = 'must not be blank'
  if (text.length > most && [...text].length > most) problem = `is longer than ${most} characters`
  if (problem) throw new RequestError('INVALID_VALUE', `${name} ${problem}`)
}
