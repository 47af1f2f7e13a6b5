import { and, desc, eq, getColumns, type SQL, sql } from 'drizzle-orm'
import { ask } from '../ask.ts'
import type { Database } from '../database.ts'
import { inPublic } from '../in-public.ts'
import { pgErrorOf } from '../pg-error.ts'
import { RequestError, requireText } from '../request-error.ts'
import { type Memory, type MemoryType, memories, memoryTypes } from '../schema.ts'

const table = inPublic(memories)

/** What a memory says. Its status is any text up to 20 characters; the package itself knows no other than `active`. */
export interface MemoryValues {
  memoryType: MemoryType
  content: string
  status: string
}

/**
 * Adds a memory of a user; `active` unless its status is given.
 *
 * @param userId the user's id in `auth.users`, a UUID
 * @throws RequestError `UNKNOWN_USER`, or `INVALID_VALUE` for blank or overlong text; otherwise what the driver throws
 */
export async function addMemory(
  db: Database,
  userId: string,
  { memoryType, content, status = 'active' }: Omit<MemoryValues, 'status'> & { status?: string },
): Promise<Memory> {
  requireValues({ memoryType, content, status })
  const inserted = db.insert(table).values({ userId, memoryType, content, status })
  const [row] = await inserted.returning().catch(cause => {
    if (pgErrorOf(cause).code !== '23503') throw cause
    throw new RequestError('UNKNOWN_USER', `no user has the id ${userId}`, { cause })
  })
  return row as Memory
}

/**
 * Changes a memory of that user.
 *
 * @throws RequestError `UNKNOWN_MEMORY`, or `INVALID_VALUE` for no or blank or overlong text; otherwise what the driver throws
 */
export async function updateMemory(
  db: Database,
  userId: string,
  memoryId: string,
  { memoryType, content, status }: Partial<MemoryValues>,
): Promise<Memory> {
  requireValues({ memoryType, content, status })
  const [row] = await db
    .update(table)
    .set({ memoryType, content, status })
    .where(isTheirs(userId, memoryId))
    .returning()
  if (!row) throw new RequestError('UNKNOWN_MEMORY', `the user ${userId} has no memory ${memoryId}`)
  return row
}

/**
 * Deletes a memory of that user.
 *
 * @returns whether there was one
 */
export async function deleteMemory(db: Database, userId: string, memoryId: string): Promise<boolean> {
  const deleted = await db.delete(table).where(isTheirs(userId, memoryId)).returning({ id: memories.id })
  return deleted.length > 0
}

export interface ListMemoriesOptions {
  type?: MemoryType
  status?: string
  /** How many at most, from 1 to 1000; 50 unless given. */
  limit?: number
  /** The `next` of the page before. */
  after?: string | null
}

/** A page of memories. */
export interface MemoryPage {
  memories: Memory[]
  /** What to pass as `after` for the next page; null on the last one. */
  next: string | null
}

/**
 * A user's memories, the newest first, a page at a time. Pages lose and repeat none, even while memories are added or deleted, or
 * were made at the same time: `next` is the place of the last one, exact to the microsecond.
 *
 * @throws RequestError `INVALID_VALUE` for a limit out of range, or an `after` that is no `next`; otherwise what the driver throws
 */
export async function listMemories(
  db: Database,
  userId: string,
  { type, status, limit = 50, after }: ListMemoriesOptions = {},
): Promise<MemoryPage> {
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
    throw new RequestError('INVALID_VALUE', `limit is ${limit}, and not a whole number from 1 to 1000`)
  const place = after ? placeOf(after) : undefined
  const given = { hasType: type !== undefined, hasStatus: status !== undefined, isAfter: place !== undefined }
  const values = { userId, type, status, limit: limit + 1, ...place }
  const rows = await ask(db, `memories ${JSON.stringify(given)}`, values, () => selectMemories(db, given))
  const page = rows.slice(0, limit)
  const last = rows.length > limit ? page.at(-1) : undefined
  return {
    memories: page.map(({ time: _, ...memory }) => memory),
    next: last ? Buffer.from(`${last.time} ${last.id}`).toString('base64url') : null,
  }
}

function selectMemories(
  db: Database,
  { hasType, hasStatus, isAfter }: { hasType: boolean; hasStatus: boolean; isAfter: boolean },
) {
  const { placeholder } = sql
  return (
    db
      // ISO 8601, whatever the session's DateStyle is. A JavaScript date would drop the microseconds.
      .select({ ...getColumns(memories), time: sql<string>`to_jsonb(${memories.createdAt}) #>> '{}'` })
      .from(table)
      .where(
        and(
          eq(memories.userId, placeholder('userId')),
          hasType ? eq(memories.memoryType, placeholder('type')) : undefined,
          hasStatus ? eq(memories.status, placeholder('status')) : undefined,
          isAfter
            ? sql`(${memories.createdAt}, ${memories.id}) < (${placeholder('time')}::timestamptz, ${placeholder('id')}::uuid)`
            : undefined,
        ),
      )
      .orderBy(desc(memories.createdAt), desc(memories.id))
      .limit(placeholder('limit'))
  )
}

function placeOf(cursor: string): { time: string; id: string } {
  const [, time, id] =
    /^(-?infinity|[\d:.T+-]+(?: BC)?) ([\da-f-]{36})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (!time || !id) throw new RequestError('INVALID_VALUE', 'after is not the next of a page')
  return { time, id }
}

function isTheirs(userId: string, memoryId: string): SQL | undefined {
  return and(eq(memories.id, memoryId), eq(memories.userId, userId))
}

function requireValues(values: { [name in keyof MemoryValues]: MemoryValues[name] | undefined }): void {
  const { memoryType, content, status } = values
  if (content !== undefined) requireText('content', content)
  if (status !== undefined) requireText('status', status, memories.status.length)
  if (memoryType !== undefined && !memoryTypes.includes(memoryType))
    throw new RequestError('INVALID_VALUE', `memoryType is none of ${memoryTypes.join(', ')}`)
  if (content === undefined && status === undefined && memoryType === undefined)
    throw new RequestError('INVALID_VALUE', 'nothing to change: give content, status or memoryType')
}
