import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/postgres-js'
import { beforeEach, describe, expect, test } from 'vitest'
import { defaultSeedFiles, SeedError, type SeedOptions, seed } from '../../../src/seed.ts'
import { sharedDatabase, signUp } from '../../support/database.ts'
import { sharedDirectory } from '../../support/folder.ts'
import { agent, documents, model, texts } from '../../support/seed-texts.ts'

const database = sharedDatabase('today')
beforeEach(async () => {
  await database.admin`truncate llms, system_agents cascade`
})

/** Every row with the transaction that wrote it. */
const versions = () => database.admin`
  select xmin::text, ctid::text, key, updated_at::text
    from (select xmin, ctid, model_code as key, updated_at from llms
          union all select xmin, ctid, agent_type, updated_at from system_agents) as written
   order by key collate "C"`

const rows = async () => ({
  models:
    await database.admin`select model_code, provider, display_name, status, config from llms order by 1`,
  agents: await database.admin`
    select agent_type, model_code, a.status, a.config from system_agents a join llms m on m.id = llm_id order by 1`,
})

const none = { created: [], updated: [], unchanged: [], orphaned: [], removed: [] }

describe('a seed', () => {
  test('writes what the files say', async () => {
    const report = await seed(database.db, documents([model('b'), model('a')], [agent('T', 'a')]))
    expect(report).toEqual({
      dryRun: false,
      llms: { ...none, created: ['a', 'b'] },
      agents: { ...none, created: ['T'] },
      notes: [],
    })
    const written = (code: string) => model(code)
    expect(await rows()).toEqual({
      models: [written('a'), written('b')],
      agents: [{ agent_type: 'T', model_code: 'a', status: 'active', config: { prompt: 'You are T.' } }],
    })
  })

  test('run again takes no transaction id: it writes nothing at all', async () => {
    expect((await seed(database.db, defaultSeedFiles())).agents.created).toHaveLength(3)
    const before = await versions()
    await database.db.transaction(async tx => {
      const { llms, agents } = await seed(tx, defaultSeedFiles())
      expect(llms).toEqual({ ...none, unchanged: expect.any(Array) })
      expect(agents).toEqual({ ...none, unchanged: expect.any(Array) })
      const [row] = await tx.execute<{ id: string | null }>(
        'select pg_current_xact_id_if_assigned()::text as id',
      )
      expect(row?.id).toBeNull()
    })
    expect(await versions()).toEqual(before)
  })

  test('writes the rows that changed and no other, and says which fields, before and after', async () => {
    const config = { prompt: 'old', gone: 1, same: true }
    await seed(
      database.db,
      documents([model('a'), model('b')], [agent('T', 'a', { config }), agent('U', 'a')]),
    )
    const before = await versions()
    const changed = agent('T', 'b', {
      config: { prompt: 'new', added: null, same: true },
      status: 'inactive',
    })
    const models = [model('a'), model('b', { display_name: 'B' })]
    const report = await seed(database.db, documents(models, [changed, agent('U', 'a')]))
    expect(report.llms).toEqual({
      ...none,
      unchanged: ['a'],
      updated: [{ key: 'b', changes: [{ field: 'display_name', before: 'Model b', after: 'B' }] }],
    })
    expect(report.agents).toEqual({
      ...none,
      unchanged: ['U'],
      updated: [
        {
          key: 'T',
          changes: [
            { field: 'config.added', after: null },
            { field: 'config.gone', before: 1 },
            { field: 'config.prompt', before: 'old', after: 'new' },
            { field: 'llm_model_code', before: 'a', after: 'b' },
            { field: 'status', before: 'active', after: 'inactive' },
          ],
        },
      ],
    })
    const after = await versions()
    const rewritten = after.filter((row, i) => row.xmin !== before[i]?.xmin)
    expect(rewritten.map(({ key }) => key)).toEqual(['T', 'b'])
    expect(rewritten.every((row, i) => row.updated_at > (before[i]?.updated_at ?? ''))).toBe(true)
  })

  test('replaces settings that are no mapping in the database', async () => {
    await seed(database.db, documents([model('m')], []))
    await database.admin`update llms set config = '[1]'`
    const { llms } = await seed(database.db, documents([model('m')], []))
    expect(llms.updated[0]?.changes).toEqual([
      { field: 'config', before: [1] },
      { field: 'config.context_window', after: 1000 },
    ])
    expect((await rows()).models).toEqual([model('m')])
  })

  test('sets updated_at by itself where no trigger does', async () => {
    await database.admin`alter table llms disable trigger user`
    try {
      await seed(database.db, documents([model('m')], []))
      const [before] = await versions()
      await seed(database.db, documents([model('m', { provider: 'q' })], []))
      const [after] = await versions()
      expect(after?.updated_at > before?.updated_at).toBe(true)
    } finally {
      await database.admin`alter table llms enable trigger user`
    }
  })

  test.each([1, 1000])(
    'sends the same number of statements for %i agents as for any other number',
    async count => {
      const statements: string[] = []
      const db = drizzle({
        client: database.sql,
        logger: { logQuery: statement => statements.push(statement) },
      })
      const many = (status: string) =>
        documents(
          Array.from({ length: count }, (_, i) => model(`m${i}`, { status })),
          Array.from({ length: count }, (_, i) => agent(`T${i}`, `m${i}`, { status })),
        )
      const counted = async (options: SeedOptions) => {
        statements.length = 0
        await seed(db, options)
        return statements.filter(statement => !/^(begin|commit|set transaction)/i.test(statement)).length
      }
      const numbers = Array.from({ length: count }, (_, i) => i)
      const keys = { llms: numbers.map(i => `m${i}`), agents: numbers.map(i => `T${i}`) }
      const counts = [
        await counted(many('active')),
        await counted(many('active')),
        await counted(many('inactive')),
        await counted({ ...documents([], []), prune: keys }),
      ]
      expect(counts).toEqual([7, 5, 7, 10])
    },
  )
})

describe('what is in the database but not in the files', () => {
  beforeEach(async () => {
    await seed(
      database.db,
      documents([model('a'), model('b'), model('c')], [agent('T', 'a'), agent('U', 'b'), agent('V', 'b')]),
    )
  })
  const fewer = () => documents('llms: []', [agent('T', 'a')])

  test('is named and left alone', async () => {
    const before = await versions()
    const report = await seed(database.db, fewer())
    expect(report.llms).toEqual({ ...none, orphaned: ['a', 'b', 'c'] })
    expect(report.agents).toEqual({ ...none, unchanged: ['T'], orphaned: ['U', 'V'] })
    expect(await versions()).toEqual(before)
  })

  test('is removed by prune, except for a model that an agent needs, and that is said', async () => {
    const before = await versions()
    const planned = await seed(database.db, { ...fewer(), prune: true, dryRun: true })
    expect(await versions()).toEqual(before)
    const report = await seed(database.db, { ...fewer(), prune: true })
    expect(report.llms).toEqual({ ...none, orphaned: ['a'], removed: ['b', 'c'] })
    expect(report.agents).toEqual({ ...none, unchanged: ['T'], removed: ['U', 'V'] })
    expect(report.notes).toEqual(['model "a" is not in the files, but agent "T" needs it: it stays'])
    expect({ ...planned, dryRun: false }).toEqual(report)
    const { models, agents } = await rows()
    expect(models.map(({ model_code }) => model_code)).toEqual(['a'])
    expect(agents.map(({ agent_type }) => agent_type)).toEqual(['T'])
  })

  test('is removed by prune only as far as it was named, where keys are named', async () => {
    const prune = { llms: ['a', 'b'], agents: ['U'] }
    const report = await seed(database.db, { ...fewer(), prune })
    expect(report.agents).toEqual({ ...none, unchanged: ['T'], orphaned: ['V'], removed: ['U'] })
    expect(report.llms).toMatchObject({ orphaned: ['a', 'b', 'c'], removed: [] })
    expect(report.notes).toContain('model "b" is not in the files, but agent "V" needs it: it stays')
    expect((await rows()).agents.map(({ agent_type }) => agent_type)).toEqual(['T', 'V'])
  })

  test('stays, if it is a model that the archive would need on the way back', async () => {
    const user = await signUp(database.admin)
    await database.admin`
      insert into archive.user_agents (id, user_id, llm_id, agent_type, config, status, created_at, updated_at)
      select gen_random_uuid(), ${user}, id, 'OLD', '{}', 'active', now(), now() from llms where model_code = 'c'`
    for (const dryRun of [true, false]) {
      const report = await seed(database.db, { ...fewer(), prune: true, dryRun })
      expect(report.llms).toEqual({ ...none, orphaned: ['a', 'c'], removed: ['b'] })
      expect(report.notes).toContain(
        'model "c" is not in the files, but archive.user_agents needs it: it stays',
      )
    }
    expect((await rows()).models.map(({ model_code }) => model_code)).toEqual(['a', 'c'])
    await database.admin`truncate archive.user_agents`
  })

  test('is removed although there is a table of others that the role may not read', async () => {
    await database.admin`create table auth.theirs_once (llm_id uuid)`
    try {
      const [may] = await database.sql`select has_table_privilege('auth.theirs_once', 'select') as read`
      expect(may).toEqual({ read: false })
      const report = await seed(database.db, { ...fewer(), prune: true, dryRun: true })
      expect(report.llms.removed).toEqual(['b', 'c'])
    } finally {
      await database.admin`drop table auth.theirs_once`
    }
  })

  test('is not removed, where nothing would be left: the file may have lost its list', async () => {
    const before = await versions()
    for (const files of [documents([model('a'), model('b')], ''), documents('', '')]) {
      await expect(seed(database.db, { ...files, prune: true })).rejects.toMatchObject({
        code: 'NOTHING_LEFT',
        message: expect.stringMatching(
          /^the file has no (agents|models), and all 3 of the database would be removed/,
        ),
      })
    }
    expect(await versions()).toEqual(before)
    const planned = await seed(database.db, { ...documents('', ''), prune: true, dryRun: true })
    expect(planned.agents.removed).toEqual(['T', 'U', 'V'])
  })

  test('may be a model that an agent of the file begins to use', async () => {
    const report = await seed(database.db, { ...documents([model('a')], [agent('T', 'c')]), prune: true })
    expect(report.llms).toMatchObject({ orphaned: ['c'], removed: ['b'] })
    expect((await rows()).agents).toMatchObject([{ agent_type: 'T', model_code: 'c' }])
  })
})

describe('a dry run', () => {
  test('reports what a run would do, and writes nothing', async () => {
    await seed(database.db, documents([model('a')], [agent('T', 'a')]))
    const before = await versions()
    const options = documents([model('a', { provider: 'q' }), model('b')], [agent('T', 'b'), agent('U', 'a')])
    const planned = await seed(database.db, { ...options, dryRun: true })
    expect(await versions()).toEqual(before)
    expect({ ...planned, dryRun: false }).toEqual(await seed(database.db, options))
    expect(await versions()).not.toEqual(before)
  })
})

describe('mistakes', () => {
  const directory = sharedDirectory()

  async function files(llms: object[] | string, agents: object[] | string) {
    const paths = { llms: join(directory, 'llms.yaml'), agents: join(directory, 'agents.yaml') }
    await writeFile(paths.llms, texts(llms, '').llms.text)
    await writeFile(paths.agents, texts('', agents).agents.text)
    return paths
  }

  test('of the files and unknown models come in one report, and nothing is written', async () => {
    await seed(database.db, documents([model('stored')], []))
    const before = await versions()
    const paths = await files(
      [model('m', { provider: '' })],
      [agent('T', 'stored'), agent('U', 'none'), agent('V', 'm', { status: '' })],
    )
    const error = await seed(database.db, { ...paths, prune: true }).catch(error => error)
    expect(await versions()).toEqual(before)
    expect(error.diagnostics).toMatchObject([
      { file: paths.llms, path: 'llms[0].provider', message: 'must not be blank' },
      {
        file: paths.agents,
        line: 8,
        path: 'agents[1].llm_model_code',
        message: 'agent "U" needs the unknown model "none" (known: m, stored)',
      },
      { file: paths.agents, path: 'agents[2].status' },
    ])
  })

  test('are told although the database cannot be reached', async () => {
    const nowhere = drizzle('postgresql://nobody@127.0.0.1:1/none')
    const paths = await files('llms: 5', [])
    await expect(seed(nowhere, paths)).rejects.toThrow('llms: must be a list')
    await expect(seed(nowhere, await files([], []))).rejects.not.toBeInstanceOf(SeedError)
  })

  test('a model that has gone since the documents were read is an unknown one', async () => {
    await seed(database.db, documents([model('stored')], []))
    const source = documents([], [agent('T', 'stored')])
    await database.admin`delete from llms`
    await expect(seed(database.db, source)).rejects.toThrow(
      'agent "T" needs the unknown model "stored" (known: none)',
    )
  })

  test('that only the database can see roll everything back', async () => {
    await database.admin`alter table system_agents add constraint refused check (agent_type <> 'U') not valid`
    try {
      const source = documents([model('m')], [agent('T', 'm'), agent('U', 'm')])
      const error = await seed(database.db, source).catch(error => error)
      expect(error.cause).toMatchObject({ code: '23514', constraint_name: 'refused' })
      expect(await versions()).toEqual([])
    } finally {
      await database.admin`alter table system_agents drop constraint refused`
    }
  })
})
