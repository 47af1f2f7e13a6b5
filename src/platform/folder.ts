import { fileURLToPath } from 'node:url'

/** The migrations of this package. */
export function packagedMigrations(): string {
  return fileURLToPath(new URL('../../drizzle', import.meta.url))
}
