import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { addMemory, deleteMemory, listMemories, updateMemory } from '../../../src/index.ts'
import { sharedDatabase, signUp, undone } from '../../support/database.ts'

let user: string
let other: string
const at = sharedDatabase('today', async ({ admin }) => {
  user = await signUp(admin)
  other = await signUp(admin)
})

/** All pages, by their contents. */
async function pages(
  of: string,
  options: Parameters<typeof listMemories>[2] = {},
  meanwhile = async () => {},
) {
  const found: string[][] = []
  let after: string | null = null
  do {
    const { memories, next } = await listMemories(at.db, of, { ...options, after })
    found.push(memories.map(({ content }) => content))
    await meanwhile()
    after = next
  } while (after !== null)
  return found
}

describe('one memory', () => {
  test('is added, changed and deleted for its user alone', async () => {
    const added = await addMemory(at.db, user, { memoryType: 'work', content: 'first' })
    expect(added).toMatchObject({ userId: user, memoryType: 'work', content: 'first', status: 'active' })
    await expect(updateMemory(at.db, other, added.id, { content: 'theirs' })).rejects.toMatchObject({
      code: 'UNKNOWN_MEMORY',
    })
    expect(await deleteMemory(at.db, other, added.id)).toBe(false)

    const changed = await updateMemory(at.db, user, added.id, { content: 'second', status: 'done' })
    expect(changed).toEqual({ ...added, content: 'second', status: 'done', updatedAt: changed.updatedAt })
    expect(changed.updatedAt.getTime()).toBeGreaterThan(added.updatedAt.getTime())
    expect(await deleteMemory(at.db, user, added.id)).toBe(true)
    expect(await deleteMemory(at.db, user, added.id)).toBe(false)
  })

  test('is not moved to another user by what a client sends', async () => {
    const { id } = await addMemory(at.db, user, { memoryType: 'user', content: 'mine' })
    const sent = { content: 'still mine', userId: other, id: randomUUID() }
    expect(await updateMemory(at.db, user, id, sent)).toMatchObject({
      id,
      userId: user,
      content: 'still mine',
    })
    await deleteMemory(at.db, user, id)
  })

  test.each<[string, object]>([
    ['content must not be blank', { content: ' \n' }],
    ['content holds a NUL', { content: 'a\0' }],
    ['status must not be blank', { status: '' }],
    ['status is longer than 20 characters', { status: 'x'.repeat(21) }],
    ['memoryType is none of work, user', { memoryType: 'dream' }],
  ])('%s, and nothing is written', async (message, wrong) => {
    const memory = { memoryType: 'user' as const, content: 'right', ...wrong }
    const refused = { code: 'INVALID_VALUE', message: expect.stringContaining(message) }
    await expect(addMemory(at.db, user, memory)).rejects.toMatchObject(refused)
    await expect(updateMemory(at.db, user, randomUUID(), wrong)).rejects.toMatchObject(refused)
    expect(await listMemories(at.db, user)).toEqual({ memories: [], next: null })
  })

  test('no change, an unknown user and what is no id are errors', async () => {
    const id = randomUUID()
    const memory = { memoryType: 'user', content: 'x' } as const
    await expect(updateMemory(at.db, user, id, {})).rejects.toMatchObject({ code: 'INVALID_VALUE' })
    await expect(addMemory(at.db, id, memory)).rejects.toMatchObject({ code: 'UNKNOWN_USER' })
    await expect(addMemory(at.db, 'me', memory)).rejects.toMatchObject({ cause: { code: '22P02' } })
  })
})

describe('pages', () => {
  let many: string
  const newest = (n: number) => `memory ${n}`
  const contents = Array.from({ length: 300 }, (_, i) => newest(300 - i))

  test('of the newest first hold every memory once, to the microsecond and at equal times', async () => {
    many = await signUp(at.admin)
    // Three at each microsecond.
    await at.admin`
      insert into public.memories (id, user_id, memory_type, content, status, created_at)
      select lpad(n::text, 32, '0')::uuid, ${many}, case when n % 2 = 0 then 'work' else 'user' end, 'memory ' || n,
             case when n % 3 = 0 then 'done' else 'active' end, '2026-01-01'::timestamptz + n / 3 * interval '1 microsecond'
        from generate_series(1, 300) n`
    expect((await pages(many, { limit: 7 })).flat()).toEqual(contents)
    expect(await pages(many, { limit: 300 })).toHaveLength(1)
    expect(await pages(many, { limit: 150 })).toHaveLength(2)
    expect((await pages(many)).map(({ length }) => length)).toEqual([50, 50, 50, 50, 50, 50])
  })

  test('can be of one type and one status', async () => {
    const work = contents.filter((_, i) => (300 - i) % 2 === 0)
    expect((await pages(many, { type: 'work', limit: 11 })).flat()).toEqual(work)
    const done = contents.filter((_, i) => (300 - i) % 6 === 0)
    expect((await pages(many, { type: 'work', status: 'done', limit: 11 })).flat()).toEqual(done)
  })

  test('lose and repeat nothing while others write and delete', async () => {
    let made = 0
    const found = await pages(many, { limit: 10 }, async () => {
      made += 1
      await addMemory(at.db, many, { memoryType: 'user', content: `newer ${made}` })
      // The place where the page ended.
      await at.admin`delete from public.memories where user_id = ${many} and content = ${newest(301 - made * 10)}`
    })
    expect(found.flat()).toEqual(contents)
  })

  test('are those of one user', async () => {
    expect(await listMemories(at.db, other)).toEqual({ memories: [], next: null })
  })

  test.each([{ limit: 0 }, { limit: 1001 }, { limit: 1.5 }, { after: 'x' }, { after: 'bm93IG5vdw' }])(
    'refuse %j',
    async options => {
      await expect(listMemories(at.db, many, options)).rejects.toMatchObject({ code: 'INVALID_VALUE' })
    },
  )

  test('of a role with settings of its own, and another schema before ours, are the same', async () => {
    const before = (await pages(many, { limit: 20 })).flat()
    await undone(at.db, async tx => {
      await tx.execute(`create schema decoy; create table decoy.memories (like public.memories);
        set local search_path = decoy; set local datestyle = 'German'; set local timezone = 'Pacific/Chatham'`)
      const first = await listMemories(tx, many, { limit: 20 })
      const second = await listMemories(tx, many, { limit: 20, after: first.next })
      const found = [...first.memories, ...second.memories].map(({ content }) => content)
      expect(found).toEqual(before.slice(0, 40))
    })
  })

  test('are read from the index that has their order', async () => {
    const [{ 'QUERY PLAN': plan } = {}] = await at.admin.begin(async tx => {
      await tx`set local enable_sort = off`
      await tx`set local enable_seqscan = off`
      return await tx`
        explain (format json) select * from public.memories where user_id = ${many} and (created_at, id) < (now(), ${many}::uuid)
         order by created_at desc, id desc limit 50`
    })
    expect(JSON.stringify(plan)).toMatch(
      /"Scan Direction":"Backward","Index Name":"ix_memories_user_id_created_at_id"/,
    )
  })
})
