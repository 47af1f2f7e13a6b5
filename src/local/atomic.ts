import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

// A process id alone is not enough: containers reuse them soon.
const self = `${process.pid}-${randomBytes(4).toString('hex')}`
let made = 0
const temporaryName = (path: string) => `${path}.tmp-${self}-${made++}`

/** Creates a directory that is missing, under a temporary name at first: once it exists, it is complete. */
export async function createAtomically(
  path: string,
  fill: (temporary: string) => Promise<void>,
): Promise<void> {
  await removeLeftovers(path)
  if (existsSync(path)) return
  const temporary = temporaryName(path)
  try {
    await fill(temporary)
    // If another process was faster, its directory stays.
    await rename(temporary, path).catch(error => {
      if (!existsSync(path)) throw error
    })
  } finally {
    await remove(temporary)
  }
}

/** Renames a directory before deleting it: as long as it exists, it is complete. */
export async function removeAtomically(path: string): Promise<void> {
  const temporary = temporaryName(path)
  if (existsSync(path)) await rename(path, temporary)
  await remove(temporary)
}

/** Removes what dead processes left behind. */
async function removeLeftovers(path: string): Promise<void> {
  for (const entry of await readdir(dirname(path))) {
    const [name, maker = ''] = entry.split('.tmp-')
    if (name !== basename(path) || maker === '' || maker.startsWith(self)) continue
    const pid = Number.parseInt(maker, 10)
    if (pid === process.pid || !signal(pid, 0)) await remove(join(dirname(path), entry))
  }
}

/** Retries, since programs that a killed process started may still be writing. */
const remove = (path: string) => rm(path, { recursive: true, force: true, maxRetries: 10 })

/** Signals a process. False if there is no such process. */
export function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
