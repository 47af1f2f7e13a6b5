import { sql } from 'drizzle-orm'
import { check, foreignKey, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { authUsers } from 'drizzle-orm/supabase'
import { timestamps } from './columns.ts'
import { denyAll } from './deny-all.ts'
import type { Json } from './json.ts'

/** A user's settings: prompts of their own by agent type, and whatever else an application keeps there. */
export interface ProfileSettings {
  agent_prompts: Record<string, string>
  [key: string]: Json
}

/** What a user shows and may set; made by a trigger when the user signs up. */
export const profiles = pgTable.withRLS(
  'profiles',
  {
    /** The user's in `auth.users`; a profile goes with its user. */
    id: uuid().primaryKey(),
    username: text(),
    avatarUrl: text('avatar_url'),
    bio: text(),
    settings: jsonb().$type<ProfileSettings>().notNull().default({ agent_prompts: {} }),
    ...timestamps(),
  },
  table => [
    foreignKey({ name: 'fk_profiles_id', columns: [table.id], foreignColumns: [authUsers.id] }).onDelete(
      'cascade',
    ),
    // Coalesced, because a check lets null pass.
    check(
      'chk_profiles_settings_agent_prompts',
      sql`coalesce(jsonb_typeof(${table.settings} -> 'agent_prompts'), '') = 'object'`,
    ),
    ...denyAll('profiles'),
  ],
)

/** A row of `profiles`. */
export type Profile = typeof profiles.$inferSelect
/** What a new row of `profiles` takes; a sign-up makes it, so that few will. */
export type NewProfile = typeof profiles.$inferInsert
