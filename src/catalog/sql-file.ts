import { readFileSync } from 'node:fs'
import { type SQL, sql } from 'drizzle-orm'
import { ownFile } from '../own-file.ts'

/** A query of this folder, with `:name` replaced by the value of that name as jsonb, or by null. */
export function readQuery(file: string, values: Record<string, unknown>): SQL {
  const chunks = readFileSync(ownFile(file, import.meta.url), 'utf8').split(/(?<!:):([a-z_]+)/)
  // As text: each driver encodes JSON and arrays in its own way.
  const parameter = (name: string) => sql`${JSON.stringify(values[name]) ?? null}::text::jsonb`
  return sql.join(chunks.map((chunk, index) => (index % 2 === 1 ? parameter(chunk) : sql.raw(chunk))))
}
