interface Fields {
  code?: string
  detail?: string
  hint?: string
  address?: string
  port?: number
}

/** What went wrong, in the words of whoever knows best. drizzle's own message repeats the statement and its values. */
export function explain(error: unknown): string {
  const known = root(error)
  if (!(known instanceof Error)) return String(known)
  const { code, detail, hint, address, port } = known as Error & Fields
  if (address !== undefined && port !== undefined) {
    return `no PostgreSQL answers at ${address}:${port} (${code}): is it running, and is DATABASE_URL right?`
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return `${known.message}: there is no such host. Is DATABASE_URL right?`
  }
  const sqlState = known.name === 'PostgresError' && code ? ` (SQLSTATE ${code})` : ''
  return [`${known.message}${sqlState}`, detail && `detail: ${detail}`, hint && `hint: ${hint}`]
    .filter(Boolean)
    .join('\n')
}

/** A code that a program may act on: our own, or the SQLSTATE, or the system's. */
export function codeOf(error: unknown): string {
  const known = root(error)
  return (known instanceof Error && (known as Error & Fields).code) || 'ERROR'
}

function root(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return root(error.errors[0])
  if (error instanceof Error && error.name === 'DrizzleQueryError' && error.cause !== undefined)
    return root(error.cause)
  return error
}
