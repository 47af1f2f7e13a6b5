import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * The path of a file or folder that the package reads beside its code.
 *
 * @param base the `import.meta.url` of the code
 * @throws Error where it is missing, as it is in a bundle
 */
export function ownFile(name: string, base: string): string {
  const path = fileURLToPath(new URL(name, base))
  if (existsSync(path)) return path
  throw new Error(
    `${path} is missing. @agents/db reads files beside its code: a bundler must leave it out, as with esbuild's --external:@agents/db`,
  )
}
