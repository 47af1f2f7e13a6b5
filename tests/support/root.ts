import { fileURLToPath } from 'node:url'

/** The directory of this repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url))
/** What test runs keep for the next one: a server with its templates, and compiled code. */
export const cache = `${root}node_modules/.cache/agents-db-tests`
