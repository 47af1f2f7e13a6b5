import type { Config } from 'drizzle-kit'
import { configuredLedger, configuredUrl } from './src/cli/connect.ts'
import { plainUrl } from './src/database-url.ts'

const io = { env: process.env, cwd: process.cwd() }
const ledger = configuredLedger(io)

export default {
  dialect: 'postgresql',
  schema: './src/schema.ts',
  out: './drizzle',
  // Otherwise `push` would drop archive, and what Supabase owns.
  schemaFilter: ['public'],
  // The commands read this too.
  ...(ledger && { migrations: ledger }),
  dbCredentials: {
    // Read by the commands that connect, and by no other.
    get url() {
      const url = io.env.DATABASE_URL === '' ? undefined : configuredUrl(io)
      if (url !== undefined) return plainUrl(url)
      throw new Error(
        'DATABASE_URL is not set. The local server\'s is: export DATABASE_URL="$(pnpm --silent db url)"',
      )
    },
  },
} satisfies Config
