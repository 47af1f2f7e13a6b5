/** What PostgreSQL says of an error. Our messages are made of these fields alone: others may hold secrets. */
export interface PgError {
  message: string
  /** The SQLSTATE, or a code of the driver or the system. */
  code?: string
  detail?: string
  hint?: string
}

/** PostgreSQL's own words are in the innermost cause: drizzle wraps what the driver throws. */
export function pgErrorOf(error: unknown): PgError {
  let innermost = error
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause
  return innermost instanceof Error ? (innermost as Error & PgError) : { message: String(innermost) }
}

/** ` (SQLSTATE 42P01)`, or nothing where the code is not PostgreSQL's. */
export function sqlStateSuffix(code: string | undefined): string {
  return code?.length === 5 ? ` (SQLSTATE ${code})` : ''
}

/** Whether a lock that somebody else held is all that went wrong: 55P03 is a lock timeout, 40P01 a deadlock. */
export function isLockFailure(error: unknown): boolean {
  const { code } = pgErrorOf(error)
  return code === '55P03' || code === '40P01'
}
