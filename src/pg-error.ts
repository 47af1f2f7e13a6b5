/** What PostgreSQL says of an error. Our messages are made of these fields alone: others may hold secrets. */
export interface PgError {
  message: string
  /** The SQLSTATE, or a code of the driver or the system. */
  code?: string | undefined
  detail?: string | undefined
  hint?: string | undefined
}

/** PostgreSQL's own words are in the innermost cause: drizzle wraps what the driver throws. */
export function pgErrorOf(error: unknown): PgError {
  let innermost = error
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause
  return innermost instanceof Error ? (innermost as Error & PgError) : { message: String(innermost) }
}

/** Whether a code is PostgreSQL's, such as `42P01`, and not the driver's or the system's, such as `EPIPE`. */
export function isSqlState(code: string | undefined): code is string {
  return /^(?=.*\d)[\dA-Z]{5}$/.test(code ?? '')
}

/** PostgreSQL's message with its SQLSTATE, detail and hint, one a line. */
export function formatPgError({ message, code, detail, hint }: PgError): string {
  const state = isSqlState(code) ? ` (SQLSTATE ${code})` : ''
  return [`${message}${state}`, detail && `detail: ${detail}`, hint && `hint: ${hint}`]
    .filter(Boolean)
    .join('\n')
}

/** Of a table, a schema, a function and, by its number, any of them that was dropped while it was being read. */
const GONE = ['42P01', '3F000', '42883', 'XX000']

/** Reads once more, up to five times, where another command drops what is being read. */
export async function readSettled<T>(read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read()
    } catch (error) {
      if (attempt === 5 || !GONE.includes(pgErrorOf(error).code ?? '')) throw error
    }
  }
}

/** Whether the server, the network or an administrator ended a connection. */
export function isConnectionLost(error: unknown): boolean {
  return /^(?:CONNECTION_|EPIPE|ECONNRESET|08|57P0|25P0[34])/.test(pgErrorOf(error).code ?? '')
}

/** Whether no connection could be had. */
export function isUnreachable(error: unknown): boolean {
  return /^(?:CONNECT_TIMEOUT|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOST|ENET)/.test(
    pgErrorOf(error).code ?? '',
  )
}

/** Whether a lock that somebody else held is all that went wrong: 55P03 is a lock timeout, 40P01 a deadlock. */
export function isLockFailure(error: unknown): boolean {
  const { code } = pgErrorOf(error)
  return code === '55P03' || code === '40P01'
}
