import { sql } from 'drizzle-orm'
import { pgPolicy } from 'drizzle-orm/pg-core'
import { anonRole, authenticatedRole } from 'drizzle-orm/supabase'

const nobody = sql`false`

/**
 * One policy for each client role and verb that lets nothing through, named `{role}_{action}_{table}`.
 * Clients reach the tables through the backend alone, which connects as owner or as `service_role`.
 */
export function denyAll(table: string) {
  return [anonRole, authenticatedRole].flatMap(role => [
    pgPolicy(`${role.name}_select_${table}`, { for: 'select', to: role, using: nobody }),
    pgPolicy(`${role.name}_insert_${table}`, { for: 'insert', to: role, withCheck: nobody }),
    pgPolicy(`${role.name}_update_${table}`, { for: 'update', to: role, using: nobody, withCheck: nobody }),
    pgPolicy(`${role.name}_delete_${table}`, { for: 'delete', to: role, using: nobody }),
  ])
}
