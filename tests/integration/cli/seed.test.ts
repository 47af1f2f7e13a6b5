import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { seed } from '../../../src/seed.ts'
import { runCli } from '../../support/cli.ts'
import { createDatabase, ownDatabase, type TestDatabase } from '../../support/database.ts'
import { agent, documents, model, texts } from '../../support/seed-texts.ts'

let database: TestDatabase
let directory: string
beforeAll(async () => {
  database = await createDatabase('today')
  directory = await mkdtemp(join(tmpdir(), 'agents-db-seed-'))
})
afterAll(async () => {
  await database.drop()
  await rm(directory, { recursive: true })
})

const prompt = 'You are one of two.\nAnswer briefly.\nBe kind.\nNever guess.\nSay when you do not know.\n'
beforeEach(async () => {
  await database.admin`truncate llms, system_agents cascade`
  const config = { prompt, temperature: 0.2 }
  await seed(
    database.db,
    documents([model('kept'), model('old')], [agent('ONE', 'kept', { config }), agent('TWO', 'kept')]),
  )
})

/** Runs `agents-db seed` on files of these entries. */
async function runSeed(models: object[] | string, agents: object[] | string, ...args: string[]) {
  const written = texts(models, agents)
  await writeFile(join(directory, 'llms.yaml'), written.llms.text)
  await writeFile(join(directory, 'agents.yaml'), written.agents.text)
  const files = ['--llms', join(directory, 'llms.yaml'), '--agents', join(directory, 'agents.yaml')]
  return runCli(['seed', ...files, ...args], { env: { DATABASE_URL: database.url } })
}

const stored = async () => {
  const rows = await database.admin`
    select model_code as key from llms union all select agent_type from system_agents order by 1`
  return rows.map(({ key }) => key)
}

describe('what changes', () => {
  const config = { prompt: prompt.replace('kind', 'very kind'), temperature: 0.3 }
  const changed = [agent('ONE', 'kept', { config }), agent('THREE', 'kept')] as const
  const fields = [
    'agent ONE: updated',
    '  config.prompt:',
    '     Answer briefly.',
    '    -Be kind.',
    '    +Be very kind.',
    '     Never guess.',
    '  config.temperature: 0.2 -> 0.3',
    'agent TWO: in the database but not in the file; left alone',
    '1 model and 0 agents unchanged',
  ]

  test('is shown field by field, of long text only the lines that differ', async () => {
    const { code, stdout } = await runSeed([model('kept')], [...changed])
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: [
        'model old: in the database but not in the file; left alone',
        'agent THREE: created',
        ...fields,
        '',
      ].join('\n'),
    })
  })

  test('is shown by a dry run too, which writes nothing', async () => {
    const { stdout } = await runSeed([model('kept')], [...changed], '--dry-run')
    expect(stdout).toContain('agent THREE: would be created\nagent ONE: would be updated\n')
    expect(stdout).toContain(fields.slice(1).join('\n'))
    expect(await stored()).toEqual(['ONE', 'TWO', 'kept', 'old'])
  })

  test('is all in the JSON document, before and after', async () => {
    const { stdout } = await runSeed([model('kept')], [...changed], '--dry-run', '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      dryRun: true,
      llms: { unchanged: ['kept'], orphaned: ['old'] },
      agents: {
        created: ['THREE'],
        updated: [
          {
            key: 'ONE',
            changes: [
              { field: 'config.prompt', before: prompt, after: config.prompt },
              { field: 'config.temperature', before: 0.2, after: 0.3 },
            ],
          },
        ],
        orphaned: ['TWO'],
      },
    })
  })
})

describe('--prune', () => {
  const fewer = [[model('kept')], [agent('ONE', 'kept')]] as const

  test('without a terminal and --yes shows what it would remove, writes nothing and exits 2', async () => {
    const { code, stdout, stderr } = await runSeed([...fewer[0]], [...fewer[1]], '--prune')
    expect({ code, stdout }).toEqual({
      code: 2,
      stdout: 'model old: would be removed\nagent TWO: would be removed\n',
    })
    expect(stderr).toContain('Remove 2 rows from the database? Without a terminal, pass --yes.')
    expect(await stored()).toEqual(['ONE', 'TWO', 'kept', 'old'])
    const [row] = await database.sql`select config from system_agents where agent_type = 'ONE'`
    expect(row?.config).toMatchObject({ prompt })
  })

  test('with --yes removes it', async () => {
    const { code, stdout } = await runSeed([...fewer[0]], [...fewer[1]], '--prune', '--yes')
    expect(code).toBe(0)
    expect(stdout).toContain('model old: removed')
    expect(stdout).toContain('agent TWO: removed')
    expect(await stored()).toEqual(['ONE', 'kept'])
  })

  test('in a dry run needs no --yes', async () => {
    const { code, stdout } = await runSeed([...fewer[0]], [...fewer[1]], '--prune', '--dry-run')
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining('model old: would be removed'),
    })
    expect(await stored()).toEqual(['ONE', 'TWO', 'kept', 'old'])
  })

  test('asks nothing where there is nothing to remove, and still writes what changed', async () => {
    const all = [agent('ONE', 'kept', { status: 'inactive' }), agent('TWO', 'kept')]
    const { code, stdout } = await runSeed([model('kept'), model('old')], all, '--prune')
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining('status: "active" -> "inactive"'),
    })
  })
})

describe('mistakes', () => {
  test('are plain lines without a terminal, and all of their parts are in the JSON document', async () => {
    const wrong = [{ ...model('m'), statsu: 'active' }]
    const { code, stdout, stderr } = await runSeed(wrong, [agent('T', 'n')], '--json')
    const file = join(directory, 'llms.yaml')
    const message = 'is not a known key; did you mean "status"?'
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr:
        `${file}:8:5 llms[0].statsu: ${message}\n` +
        `${join(directory, 'agents.yaml')}:3:21 agents[0].llm_model_code: ` +
        'agent "T" needs the unknown model "n" (known: kept, m, old)\n',
    })
    const { error } = JSON.parse(stdout)
    expect(error.code).toBe('SEED_INVALID')
    expect(error.diagnostics).toMatchObject([
      { file, line: 8, column: 5, path: 'llms[0].statsu', message },
      { line: 3, column: 21, path: 'agents[0].llm_model_code' },
    ])
  })

  test('name a file that does not exist, without a line', async () => {
    const { code, stderr } = await runCli(['seed', '--llms', 'nope.yaml'], {
      cwd: directory,
      env: { DATABASE_URL: database.url },
    })
    const file = join(directory, 'nope.yaml')
    expect({ code, stderr }).toEqual({ code: 1, stderr: `${file}: the file does not exist\n` })
  })
})

test('an agent type nearly that of an agent left over is pointed out', async () => {
  await runSeed([model('kept')], [agent('TASK_EXECUTION', 'kept')])
  const { stderr } = await runSeed([model('kept')], [agent('TASK_EXECUTON', 'kept')], '--dry-run')
  expect(stderr).toBe('agent "TASK_EXECUTON" is new; did you mean "TASK_EXECUTION"?\n')
})

test('a database at the baseline is told to migrate first', async () => {
  const baseline = await ownDatabase('baseline')
  const { code, stdout } = await runCli(['seed', '--json'], { env: { DATABASE_URL: baseline.url } })
  expect(code).toBe(1)
  expect(JSON.parse(stdout).error).toMatchObject({
    code: 'NOT_MIGRATED',
    message: 'relation "system_agents" does not exist: `migrate` creates the tables. Nothing was written.',
  })
})
