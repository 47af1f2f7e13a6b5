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
  const { code = 'ERROR', findings } = root
  const isLost = root.name !== 'MigrationError' && isConnectionLost(root)
  const message = messageOf(root, isLost)
  return { code: isLost ? 'CONNECTION_LOST' : code, message, ...(findings && { findings }) }
}

function messageOf(error: Error & Fields, isLost: boolean): string {
  const { name, message, code = 'ERROR', detail, hint, address, port } = error
  if (isLost) {
    const again = 'What is committed stays; run the same command again.'
    return `PostgreSQL closed the connection: ${message} (${code}). ${again}`
  }
  if (address !== undefined) {
    const place = port === undefined ? address : `${address}:${port}`
    return `cannot reach PostgreSQL at ${place} (${code}). Is it running, and is DATABASE_URL right?`
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `${message}: there is no such host. Is DATABASE_URL right?`
  const isServers = name === 'PostgresError'
  if (/\bTLS\b|certificate/i.test(message) && !isServers)
    return `no TLS with PostgreSQL: ${message} (${code}). Does the server offer TLS, and does sslrootcert in DATABASE_URL name its certificate's authority?`
  return formatPgError({ message, code: isServers ? code : undefined, detail, hint })
}

/** The error that knows best: drizzle's own message repeats the statement and its values. */
function rootOf(error: unknown): Error & Fields {
  if (error instanceof AggregateError && error.errors.length > 0) return rootOf(error.errors[0])
  if (!(error instanceof Error)) return new Error(String(error))
  return error.name === 'DrizzleQueryError' && error.cause !== undefined ? rootOf(error.cause) : error
}
