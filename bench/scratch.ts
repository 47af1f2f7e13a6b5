import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { startServer } from '../src/local/server.ts'
import { removeServer } from '../tests/support/server.ts'

/** A server that is thrown away afterwards. */
export interface Scratch {
  /** As superuser. */
  admin: postgres.Sql
  /** A database's URL, as the role that migrates. */
  urlOf: (database: string, as?: 'deployer' | 'superuser') => string
  /** Makes a database, or makes it anew, as a copy of another one. */
  clone: (name: string, template: string) => Promise<void>
}

/** Runs `work` on a durable server of its own: with fsync, as in production. */
export async function withScratch(
  work: (scratch: Scratch) => Promise<void>,
  settings: Record<string, string> = {},
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'agents-db-bench-'))
  try {
    const server = await startServer({ directory, port: 0, settings })
    const admin = postgres(server.adminUrl, { onnotice: () => {}, max: 1 })
    const urlOf: Scratch['urlOf'] = (database, as = 'deployer') => {
      const url = new URL(as === 'superuser' ? server.adminUrl : server.url)
      url.pathname = `/${database}`
      return url.href
    }
    const clone: Scratch['clone'] = async (name, template) => {
      await admin`drop database if exists ${admin(name)} with (force)`
      await admin`create database ${admin(name)} template ${admin(template)} owner postgres`
      await admin`checkpoint`
    }
    try {
      await work({ admin, urlOf, clone })
    } finally {
      await admin.end()
    }
  } finally {
    await removeServer(directory)
  }
}
