import fc from 'fast-check'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { isObject } from '../../../src/json.ts'
import { type SignUp, sharedDatabase, signUp } from '../../support/database.ts'

const withUsername = (username: SignUp['metadata']) => ({ metadata: { username: username ?? null } })

/** Who signs up, and what they are called; `undefined` for user_ and the first 8 characters of their id. */
const rule: [what: string, user: SignUp, username: string | undefined][] = [
  ['a username', withUsername('ada'), 'ada'],
  ['a username between spaces', withUsername('  ada '), 'ada'],
  ['a username between other white space', withUsername('\t\n\r\f\v ada\v\f\r\n\t'), 'ada'],
  ['a username with spaces inside', withUsername(' Ada  Lovelace '), 'Ada  Lovelace'],
  ['a username that begins like an escape', withUsername('vera'), 'vera'],
  ['a username that ends like an escape', withUsername('lev'), 'lev'],
  ['a username of one letter', withUsername('v'), 'v'],
  ['a username of other letters', withUsername('btnrfx0'), 'btnrfx0'],
  ['a username beyond ASCII', withUsername('Łucja 名前 🙂'), 'Łucja 名前 🙂'],
  ['a username that reads null', withUsername('null'), 'null'],
  ['a username of two quotes', withUsername('""'), '""'],
  ['a username of 10,000 characters', withUsername('a'.repeat(10_000)), 'a'.repeat(10_000)],
  ['an empty username', withUsername(''), 'local'],
  ['a username of spaces', withUsername('   '), 'local'],
  ['a username of tabs and newlines', withUsername('\t\n\r\f\v'), 'local'],
  ['a number for a username', withUsername(42), 'local'],
  ['true for a username', withUsername(true), 'local'],
  ['an object for a username', withUsername({ name: 'ada' }), 'local'],
  ['an array for a username', withUsername(['ada']), 'local'],
  ['JSON null for a username', withUsername(null), 'local'],
  ['metadata without a username', { metadata: { name: 'ada' } }, 'local'],
  ['JSON null for metadata', { metadata: null }, 'local'],
  ['SQL NULL for metadata', { metadata: undefined }, 'local'],
  ['a string for metadata', { metadata: 'username' }, 'local'],
  ['a number for metadata', { metadata: 7 }, 'local'],
  ['an array for metadata', { metadata: ['username'] }, 'local'],
  ['an array of objects for metadata', { metadata: [{ username: 'ada' }] }, 'local'],
  ['an e-mail that begins like an escape', { email: 'vera@example.test' }, 'vera'],
  ['an e-mail that ends like an escape', { email: 'lev@example.test' }, 'lev'],
  ['an e-mail with a tag', { email: 'ada+news@example.test' }, 'ada+news'],
  ['an e-mail with two @', { email: 'ada@b@example.test' }, 'ada'],
  ['an e-mail without @', { email: 'ada' }, 'ada'],
  ['an e-mail between spaces', { email: ' ada @example.test' }, 'ada'],
  ['no e-mail', { email: null }, undefined],
  ['an empty e-mail', { email: '' }, undefined],
  ['an e-mail of spaces', { email: '  ' }, undefined],
  ['an e-mail without a local part', { email: '@x' }, undefined],
  ['an e-mail with a blank local part', { email: ' \t@x' }, undefined],
  ['an e-mail that is only @', { email: '@' }, undefined],
  ['a blank username and no e-mail', { ...withUsername(' '), email: null }, undefined],
  ['a number for a username and @x', { ...withUsername(42), email: '@x' }, undefined],
  ['SQL NULL for metadata and no e-mail', { metadata: undefined, email: null }, undefined],
  ['JSON null for metadata and an empty e-mail', { metadata: null, email: '' }, undefined],
  ['a username and no e-mail', { ...withUsername('ada'), email: null }, 'ada'],
]

describe.each(['baseline', 'expanded', 'today'])('in the state %s', state => {
  const database = sharedDatabase(state)
  afterEach(() => database.admin`delete from auth.users`)

  test.each(rule)('%s', async (_, user, username) => {
    const id = await signUp(database.admin, { email: 'local@example.test', ...user })
    expect(await database.sql`select id, username from public.profiles`).toEqual([
      { id, username: username ?? `user_${id.slice(0, 8)}` },
    ])
  })

  test('any metadata and any e-mail make the name that the rule says', async () => {
    const { sql, admin } = database
    const text = fc.stringMatching(/^[ \t\n\r\f\vabtnrfvx0@+_\\'"é]{0,8}$/)
    const json = fc.oneof(text, fc.jsonValue({ noUnicodeString: true, maxDepth: 1 }))
    const metadata = fc.oneof(json, fc.record({ username: json }), fc.constant(undefined))
    const address = text.map(local => `${local}@example.test`)
    const email = fc.option(fc.oneof(text, address))
    await fc.assert(
      fc.asyncProperty(metadata, email, async (data, email) => {
        const id = await signUp(admin, { metadata: data as SignUp['metadata'], email })
        const [profile] = await sql`select username from public.profiles where id = ${id}`
        await admin`delete from auth.users where id = ${id}`
        expect(profile?.username).toBe(
          trimmed(isObject(data) ? data.username : undefined) ||
            trimmed(email?.split('@')[0]) ||
            `user_${id.slice(0, 8)}`,
        )
      }),
      { numRuns: 200 },
    )
  })

  test.each([
    ['local part', { email: 'ada@one.test' }, { email: 'ada@two.test' }],
    ['username', withUsername('ada'), withUsername('ada')],
  ])('two users with the same %s both sign up, under the same name', async (_, one, other) => {
    await signUp(database.admin, one)
    await signUp(database.admin, other)
    const names = await database.sql`select username from public.profiles`
    expect(names).toEqual([{ username: 'ada' }, { username: 'ada' }])
  })

  test('users who come in one statement each receive a profile of their own', async () => {
    const { sql, admin } = database
    await admin`
      insert into auth.users (id, email)
      select gen_random_uuid(), 'user' || n || '@example.test' from generate_series(1, 100) n`
    expect(
      await sql`select from public.profiles p join auth.users u on u.id = p.id
                 where p.username || '@example.test' = u.email`,
    ).toHaveLength(100)
  })

  test('a profile that is there before its user stays as it is', async () => {
    const { sql, admin } = database
    const id = '0d9c3f5a-12c4-4b7e-8a53-6f1de0a7b915'
    const settings = { agent_prompts: { TASK_EXECUTION: 'kept' } }
    await admin.begin(async tx => {
      await tx`set local session_replication_role = replica`
      await tx`
        insert into public.profiles (id, username, bio, settings)
        values (${id}, 'before', 'kept', ${JSON.stringify(settings)}::text::jsonb)`
    })
    await signUp(admin, { id, metadata: { username: 'after' } })
    expect(await sql`select id, username, bio, settings from public.profiles`).toEqual([
      { id, username: 'before', bio: 'kept', settings },
    ])
  })

  test('a profile that another trigger makes first stays as it is', async () => {
    const { sql, admin } = database
    await admin.unsafe(`
      create function public.first() returns trigger language plpgsql security definer set search_path = '' as $$
      begin
        insert into public.profiles (id, username, settings) values (new.id, 'first', '{"agent_prompts": {}}');
        return new;
      end $$;
      create trigger a_first after insert on auth.users for each row execute function public.first();`)
    onTestFinished(() => admin`drop function public.first() cascade`.then())
    const id = await signUp(admin, { metadata: { username: 'second' } })
    expect(await sql`select id, username from public.profiles`).toEqual([{ id, username: 'first' }])
  })
})

function trimmed(value: unknown): string {
  return typeof value === 'string' ? value.replaceAll(/^[ \t\n\r\f\v]+|[ \t\n\r\f\v]+$/g, '') : ''
}
