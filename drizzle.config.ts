import { existsSync } from 'node:fs'
import { loadEnvFile } from 'node:process'
import { defineConfig } from 'drizzle-kit'

if (process.env.DATABASE_URL === undefined && existsSync('.env')) loadEnvFile('.env')

export default defineConfig({
  dialect: 'postgresql',
  schema: './src/schema.ts',
  out: './drizzle',
  dbCredentials: {
    // Read by the commands that connect, and by no other.
    get url() {
      const url = process.env.DATABASE_URL
      if (url) return url
      throw new Error(
        'DATABASE_URL is not set. The local server\'s is: export DATABASE_URL="$(pnpm --silent db url)"',
      )
    },
  },
})
