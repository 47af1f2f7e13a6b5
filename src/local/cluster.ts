import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { createAtomically } from './atomic.ts'
import type { Directory } from './directory.ts'
import { type Programs, run } from './programs.ts'

export const stubFile = fileURLToPath(new URL('./supabase-stub.sql', import.meta.url))

const Passwords = z.object({ postgres: z.string(), supabase_admin: z.string() })
const RESET = 'start again with empty data (agents-db db reset)'
const newPassword = () => randomBytes(24).toString('base64url')

/** Creates the data if it is missing, with the Supabase stub in template1, and so in every new database. */
export async function createCluster({ cluster, data }: Directory, programs: Programs, sync: boolean) {
  const { initdb, major, account } = programs
  const { uid = -1, gid = -1 } = account
  const passwords = { postgres: newPassword(), supabase_admin: newPassword() }
  await createAtomically(cluster, async temporary => {
    const [made, pwfile] = [join(temporary, 'data'), join(temporary, 'password')]
    await mkdir(made, { recursive: true })
    await chmod(temporary, 0o711)
    await writeFile(pwfile, passwords.supabase_admin, { mode: 0o600 })
    for (const path of [made, pwfile]) await chown(path, uid, gid)
    const options = ['--username', 'supabase_admin', '--pwfile', pwfile, '--auth', 'scram-sha-256']
    // The same sort order and letter cases on every machine, whatever locales it has.
    const locale = major < 17 ? [] : ['--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8']
    options.push('--encoding', 'UTF8', '--locale', 'C', ...locale, '--no-sync', '--pgdata', made)
    await run(initdb, options, account)
    await rm(pwfile)
    await installStub(made, passwords.postgres, programs)
    if (sync) await run(initdb, ['--sync-only', '--pgdata', made], account)
    await writeFile(join(temporary, 'passwords.json'), JSON.stringify(passwords), { mode: 0o600 })
  })
  // The account may have been made anew, as in a container.
  if (uid !== -1 && (await stat(data)).uid !== uid) await run('chown', ['-R', `${uid}:${gid}`, data], {})
}

/** In single-user mode, which needs no port and lets no one connect. There, an empty line ends a command. */
async function installStub(data: string, password: string, { postgres, account }: Programs): Promise<void> {
  const stub = (await readFile(stubFile, 'utf8')).replace(/\n\s*\n/g, '\n')
  const script = `set agents_db.deployer = 'postgres'; set agents_db.grants = 'old';
    set agents_db.password = '${password}'; ${stub}\n\ncreate database agents owner postgres strategy file_copy;\n\n`
  // An error message must not show the statement: it contains the password.
  const settings = ['-F', '-c', 'exit_on_error=on', '-c', 'log_min_error_statement=panic']
  await run(postgres, ['--single', '-j', ...settings, '-D', data, 'template1'], account, script)
}

export async function readPasswords({ cluster }: Directory): Promise<z.infer<typeof Passwords>> {
  const file = join(cluster, 'passwords.json')
  try {
    return Passwords.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch (cause) {
    throw new Error(`${file} is missing or damaged: ${RESET}`, { cause })
  }
}

/** Fails if these programs cannot serve the data. */
export async function checkVersion({ cluster, data }: Directory, { major }: Programs): Promise<void> {
  const version = (await readFile(join(data, 'PG_VERSION'), 'utf8')).trim()
  if (Number(version) === major) return
  throw new Error(
    `PostgreSQL ${version} created ${cluster}, and this is ${major}: use that version, or ${RESET}`,
  )
}
