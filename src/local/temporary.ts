import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

const ours = new Set<string>()

/** A name beside `path` that says which process made it, so that a killed one's leftovers can be told. */
export function temporaryName(path: string): string {
  const name = `${path}.tmp-${process.pid}-${randomBytes(4).toString('hex')}`
  ours.add(name)
  return name
}

/** What processes that are no more left beside `path`. */
export async function leftovers(path: string): Promise<string[]> {
  const prefix = `${basename(path)}.tmp-`
  const entries = await readdir(dirname(path)).catch(() => [])
  return entries
    .filter(entry => entry.startsWith(prefix))
    .map(entry => ({
      path: join(dirname(path), entry),
      pid: Number(entry.slice(prefix.length).split('-')[0]),
    }))
    .filter(({ path, pid }) => (pid === process.pid ? !ours.has(path) : !isAlive(pid)))
    .map(({ path }) => path)
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
