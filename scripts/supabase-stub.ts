import type postgres from 'postgres'
import { stubFile } from '../src/local/cluster.ts'

interface SupabaseStubOptions {
  /** The role that migrates; on Supabase it is `postgres`. Created if missing, never as a superuser. */
  deployer: string
  /** What anon, authenticated and service_role get on new tables: everything (old projects) or nothing. */
  grants: 'old' | 'new'
  /** Sets the deployer's password. */
  password?: string
}

/** Gives a database the roles, the `auth` schema and the default grants that Supabase would. Needs a superuser. */
export async function installSupabaseStub(admin: postgres.Sql, options: SupabaseStubOptions): Promise<void> {
  const { deployer, grants, password = '' } = options
  await admin.begin(async tx => {
    await tx`
      select set_config('agents_db.deployer', ${deployer}, true),
             set_config('agents_db.grants',   ${grants},   true),
             set_config('agents_db.password', ${password}, true)`
    await tx.file(stubFile)
  })
}
