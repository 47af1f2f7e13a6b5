import postgres from 'postgres'
import { createDatabase } from '../src/database.ts'
import { startServer } from '../src/local/server.ts'
import { installSupabaseStub } from './supabase-stub.ts'

/** A database that is dropped in the end: `db` as the role that deploys, `own` as a superuser. */
export interface Scratch {
  db: ReturnType<typeof createDatabase>
  own: postgres.Sql
}

/** Runs `work` on a new database with the stub of Supabase, on the local server. */
export async function withScratchDatabase<T>(work: (scratch: Scratch) => Promise<T>): Promise<T> {
  const server = await startServer({ directory: '.data' })
  const name = `scratch_${process.pid}`
  const at = (url: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href
  const admin = postgres(server.adminUrl, { max: 1, onnotice: () => {} })
  await admin`drop database if exists ${admin(name)} with (force)`
  await admin`create database ${admin(name)} template template0`
  const own = postgres(at(server.adminUrl), { max: 1, onnotice: () => {} })
  const db = createDatabase(at(server.url), { max: 2, onnotice: () => {} })
  try {
    await installSupabaseStub(own, { deployer: new URL(server.url).username, grants: 'old', password: '' })
    return await work({ db, own })
  } finally {
    await Promise.all([own.end(), db.$client.end()])
    await admin`drop database ${admin(name)} with (force)`
    await admin.end()
  }
}
