import type { Finding } from '../migrate.ts'
import { formatPgError, isConnectionLost } from '../pg-error.ts'

interface Fields {
  code?: string
  detail?: string
  hint?: string
  address?: string
  port?: number
  findings?: Finding[]
}

/** Why a command failed: a message, and a code for programs, which is ours, the SQLSTATE or the system's. */
export function explain(error: unknown): { code: string; message: string; findings?: Finding[] } {
  const root = rootOf(error)
  const { name, message, code = 'ERROR', detail, hint, address, port, findings } = root
  if (isConnectionLost(root) && name !== 'MigrationError') {
    const again = 'What is committed stays; run the same command again.'
    return {
      code: 'CONNECTION_LOST',
      message: `PostgreSQL closed the connection: ${message} (${code}). ${again}`,
    }
  }
  if (address !== undefined) {
    const place = port === undefined ? address : `${address}:${port}`
    return {
      code,
      message: `cannot reach PostgreSQL at ${place} (${code}). Is it running, and is DATABASE_URL right?`,
    }
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return { code, message: `${message}: there is no such host. Is DATABASE_URL right?` }
  }
  if (/\bTLS\b|certificate/i.test(message) && name !== 'PostgresError') {
    const question =
      "Does the server offer TLS, and does sslrootcert in DATABASE_URL name its certificate's authority?"
    return { code, message: `no TLS with PostgreSQL: ${message} (${code}). ${question}` }
  }
  const sqlState = name === 'PostgresError' ? code : undefined
  const reason = formatPgError({ message, code: sqlState, detail, hint })
  return { code, message: reason, ...(findings && { findings }) }
}

/** The error that knows best: drizzle's own message repeats the statement and its values. */
function rootOf(error: unknown): Error & Fields {
  if (error instanceof AggregateError && error.errors.length > 0) return rootOf(error.errors[0])
  if (!(error instanceof Error)) return new Error(String(error))
  return error.name === 'DrizzleQueryError' && error.cause !== undefined ? rootOf(error.cause) : error
}
