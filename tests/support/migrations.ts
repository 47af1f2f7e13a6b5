import { readdirSync } from 'node:fs'
import { packagedMigrations } from '../../src/migrations/index.ts'

/** The package's migrations, in their order; whoever adds one changes no test for that. */
export const names = readdirSync(packagedMigrations()).sort()

/** The last of them. */
export const last = names.at(-1)!

/** Those after the one of this title. */
export function after(title: string): string[] {
  return names.slice(names.findIndex(name => name.endsWith(`_${title}`)) + 1)
}
