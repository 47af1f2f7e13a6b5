import { MigrationError } from './error.ts'

/**
 * Finds a migration by its name, with or without the timestamp.
 *
 * @param kind what they are: `migration`, `applied migration`
 * @throws MigrationError `UNKNOWN_NAME`, which lists the names there are
 */
export function findByName<M extends { name: string }>(migrations: M[], name: string, kind = 'migration'): M {
  const found = migrations.filter(m => m.name === name || m.name.slice('YYYYMMDDHHMMSS_'.length) === name)
  const [only, ...others] = found
  if (only && others.length === 0) return only
  const known = migrations.map(m => `  ${m.name}`).join('\n') || '  none'
  throw new MigrationError(
    'UNKNOWN_NAME',
    `${found.length === 0 ? 'no' : 'more than one'} ${kind} is called ${name}. There are:\n${known}`,
  )
}
