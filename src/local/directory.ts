import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { isRoot, SHARED } from './programs.ts'

export type Directory = ReturnType<typeof dataDirectory>

/** The data directory, and paths in it. It is the directory asked for or, for root, one named after that. */
export function dataDirectory(requested: string) {
  const directory = resolve(requested)
  const hash = createHash('sha256').update(directory).digest('hex').slice(0, 12)
  const path = isRoot() ? `${SHARED}/${hash}` : directory
  const cluster = `${path}/postgres`
  return { path, cluster, data: `${cluster}/data`, log: `${path}/postgres.log`, port: `${path}/port` }
}
