import { randomUUID } from 'node:crypto'
import type postgres from 'postgres'

/** A user to sign up; what is left out is made up. */
export interface SignUp {
  id?: string
  /** Null for none. */
  email?: string | null
  /** What the user gives, such as `{ username: 'ada' }`: `{}` if left out, undefined for SQL's NULL, null for JSON's. */
  metadata?: unknown
}

/** Adds a user as Supabase does, in the role and with the search_path that it has there; as superuser. */
export async function signUp(admin: postgres.Sql, user: SignUp = {}): Promise<string> {
  const { id = randomUUID() } = user
  const email = user.email === undefined ? `${id}@example.test` : user.email
  const metadata = 'metadata' in user ? user.metadata : {}
  await admin.begin(async tx => {
    await tx`select set_config('role', 'supabase_auth_admin', true), set_config('search_path', 'auth', true)`
    await tx`
      insert into users (instance_id, id, aud, role, email, raw_app_meta_data, raw_user_meta_data, created_at, updated_at)
      values ('00000000-0000-0000-0000-000000000000', ${id}, 'authenticated', 'authenticated', ${email},
              '{"provider": "email", "providers": ["email"]}',
              ${metadata === undefined ? null : JSON.stringify(metadata)}::text::jsonb, now(), now())`
  })
  return id
}
