import postgres from 'postgres'

/** The SQLSTATE and the constraint with which PostgreSQL refuses a statement; undefined where it does not. */
export async function refusal(
  statement: PromiseLike<unknown>,
): Promise<{ code: string; constraint: string | undefined } | undefined> {
  try {
    await statement
  } catch (error) {
    if (!(error instanceof postgres.PostgresError)) throw error
    return { code: error.code, constraint: error.constraint_name }
  }
  return undefined
}

/** A row is referred to: 23503, and since PostgreSQL 18 23001 where the key says restrict. */
export const restricted = /^(23001|23503)$/
