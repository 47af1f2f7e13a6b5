import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { seed } from '../../../src/seed.ts'
import { cliJson, runCli } from '../../support/cli.ts'
import { ownDatabase, sharedDatabase } from '../../support/database.ts'
import { sharedDirectory } from '../../support/folder.ts'
import { agent, documents, model, texts } from '../../support/seed-texts.ts'

const database = sharedDatabase('today')
const directory = sharedDirectory()

const prompt = 'You are one of two.\nAnswer briefly.\nBe kind.\nNever guess.\nSay when you do not know.\n'
beforeEach(async () => {
  await database.admin`truncate llms, system_agents cascade`
  const config = { prompt, temperature: 0.2 }
  const agents = [agent('ONE', 'kept', { config }), agent('TWO', 'kept')]
  await seed(database.db, documents([model('kept'), model('old')], agents))
})

/** Runs `agents-db seed` on files of these entries. */
async function runSeed(models: object[] | string, agents: object[] | string, ...args: string[]) {
  const written = texts(models, agents)
  await writeFile(join(directory, 'llms.yaml'), written.llms.text)
  await writeFile(join(directory, 'agents.yaml'), written.agents.text)
  const files = ['--llms', 'llms.yaml', '--agents', 'agents.yaml']
  return runCli(['seed', ...files, ...args], { cwd: directory, env: { DATABASE_URL: database.url } })
}

const before = ['ONE', 'TWO', 'kept', 'old']
const stored = async () => {
  const rows = await database.admin`
    select model_code as key from llms union all select agent_type from system_agents order by 1`
  return rows.map(({ key }) => key)
}

describe('what changes', () => {
  const config = { prompt: prompt.replace('kind', 'very kind'), temperature: 0.3 }
  const changed = [agent('ONE', 'kept', { config }), agent('THREE', 'kept')]
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
    '',
  ]

  test('is shown field by field, of long text only the lines that differ', async () => {
    const left = 'model old: in the database but not in the file; left alone'
    expect(await runSeed([model('kept')], changed)).toMatchObject({
      code: 0,
      stdout: [left, 'agent THREE: created', ...fields].join('\n'),
    })
  })

  test('is shown by a dry run too, which writes nothing', async () => {
    const { stdout } = await runSeed([model('kept')], changed, '--dry-run')
    expect(stdout).toContain('agent THREE: would be created\nagent ONE: would be updated\n')
    expect(stdout).toContain(fields.slice(1).join('\n'))
    expect(await stored()).toEqual(before)
  })

  test('is all in the JSON document, before and after', async () => {
    const { stdout } = await runSeed([model('kept')], changed, '--dry-run', '--json')
    const changes = [
      { field: 'config.prompt', before: prompt, after: config.prompt },
      { field: 'config.temperature', before: 0.2, after: 0.3 },
    ]
    expect(JSON.parse(stdout)).toMatchObject({
      dryRun: true,
      llms: { unchanged: ['kept'], orphaned: ['old'] },
      agents: { created: ['THREE'], updated: [{ key: 'ONE', changes }], orphaned: ['TWO'] },
    })
  })
})

describe('--prune', () => {
  const prune = (...args: string[]) => runSeed([model('kept')], [agent('ONE', 'kept')], '--prune', ...args)

  test('without a terminal and --yes shows what it would remove, writes nothing and exits 2', async () => {
    expect(await prune()).toEqual({
      code: 2,
      stdout: 'model old: would be removed\nagent TWO: would be removed\n',
      stderr: expect.stringContaining('Remove 2 rows from the database? Without a terminal, pass --yes.'),
    })
    expect(await stored()).toEqual(before)
    const [row] = await database.sql`select config from system_agents where agent_type = 'ONE'`
    expect(row?.config).toMatchObject({ prompt })
  })

  test('with --yes removes it', async () => {
    const { code, stdout } = await prune('--yes')
    expect(code).toBe(0)
    for (const removed of ['model old: removed', 'agent TWO: removed']) expect(stdout).toContain(removed)
    expect(await stored()).toEqual(['ONE', 'kept'])
  })

  test('in a dry run needs no --yes', async () => {
    expect(await prune('--dry-run')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('model old: would be removed'),
    })
    expect(await stored()).toEqual(before)
  })

  test('asks nothing where there is nothing to remove, and still writes what changed', async () => {
    const all = [agent('ONE', 'kept', { status: 'inactive' }), agent('TWO', 'kept')]
    expect(await runSeed([model('kept'), model('old')], all, '--prune')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('status: "active" -> "inactive"'),
    })
  })
})

test('mistakes are plain lines without a terminal, all of them are in the JSON document, and nothing is written', async () => {
  const wrong = [{ ...model('m'), statsu: 'active' }]
  const { code, stdout, stderr } = await runSeed(wrong, [agent('T', 'n')], '--json')
  const [file, agents] = [join(directory, 'llms.yaml'), join(directory, 'agents.yaml')]
  const message = 'is not a known key; did you mean "status"?'
  const unknown = 'agent "T" needs the unknown model "n" (known: kept, m, old)'
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `${file}:8:5 llms[0].statsu: ${message}\n${agents}:3:21 agents[0].llm_model_code: ${unknown}\n`,
  })
  const { error } = JSON.parse(stdout)
  expect(error.code).toBe('SEED_INVALID')
  expect(error.diagnostics).toMatchObject([
    { file, line: 8, column: 5, path: 'llms[0].statsu', message },
    { line: 3, column: 21, path: 'agents[0].llm_model_code' },
  ])
  expect(await stored()).toEqual(before)
})

test('values and keys of megabytes are changed, and the report of it is short', async () => {
  const rows = [agent('ONE', 'kept', { config: { prompt } }), agent('TWO', 'kept')]
  await database.admin`
    update system_agents set config = jsonb_build_object('prompt', repeat('x', 8000000), repeat('k', 5000000), 1)
     where agent_type = 'ONE'`
  const { code, stdout } = await runSeed([model('kept'), model('old')], rows)
  expect(code).toBe(0)
  expect(stdout).toContain(`  config.prompt: 8000002 -> ${JSON.stringify(prompt).length} characters\n`)
  expect(stdout).toMatch(/^ {2}config\.k+…: 1 -> \(none\)$/m)
  expect(stdout.length).toBeLessThan(1000)
})

test('no name from a file or the database reaches the terminal as it is, nor adds a line', async () => {
  const name = 'A\u001b[2J\u202e\nB'
  const shown = String.raw`A\x1b[2J\u202e\x0aB`
  const { stdout } = await runSeed([model('kept'), model(name)], [agent(name, 'kept')])
  const json = await runSeed([model('kept'), model(name)], [agent(name, 'kept')], '--json')
  expect(json.stdout).not.toMatch(/(?!\n)[\p{Cc}\p{Bidi_Control}]/u)
  expect(json.stdout).toContain(String.raw`A\u001b[2J\u202e\nB`)
  for (const noun of ['model', 'agent']) expect(stdout).toContain(`${noun} ${shown}: created\n`)
  const wrong = [agent(name, name, { status: 'on', [name]: 1 })]
  for (const [agents, ...args] of [
    [[agent('NEW', name)]],
    [[agent('NEW', name)], '--prune'],
    [wrong],
    [[agent('X', `${name}?`)]],
  ] as [object[], ...string[]][]) {
    const ran = await runSeed([model('kept')], agents, ...args)
    expect(ran.stdout + ran.stderr).toMatch(/A\\[ux].*B/)
    expect(ran.stdout + ran.stderr).not.toMatch(/(?!\n)[\p{Cc}\p{Bidi_Control}]/u)
  }
})

test('a file that does not exist is named, without a line', async () => {
  const env = { DATABASE_URL: database.url }
  expect(await runCli(['seed', '--llms', 'nope.yaml'], { cwd: directory, env })).toMatchObject({
    code: 1,
    stderr: `${join(directory, 'nope.yaml')}: the file does not exist\n`,
  })
})

test('an agent type nearly that of an agent left over is pointed out', async () => {
  await runSeed([model('kept')], [agent('TASK_EXECUTION', 'kept')])
  const { stderr } = await runSeed([model('kept')], [agent('TASK_EXECUTON', 'kept')], '--dry-run')
  expect(stderr).toBe('agent "TASK_EXECUTON" is new; did you mean "TASK_EXECUTION"?\n')
})

test('a database at the baseline is told to migrate first', async () => {
  expect(await cliJson((await ownDatabase('baseline')).url, 'seed')).toMatchObject({
    code: 1,
    document: {
      error: {
        code: 'NOT_MIGRATED',
        message:
          'relation "public.system_agents" does not exist: `migrate` creates the tables. Nothing was written.',
      },
    },
  })
})
