import type postgres from 'postgres'
import { onTestFinished } from 'vitest'
import { connect } from './templates.ts'

/** A client of the test that calls it, with one connection unless told otherwise. It ends with the test. */
export function ownClient(url: string, options: Parameters<typeof connect>[1] = {}): postgres.Sql {
  const sql = connect(url, { max: 1, ...options })
  onTestFinished(() => sql.end({ timeout: 5 }))
  return sql
}
