import { execFileSync } from 'node:child_process'
import { symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { parseSeed, readSeedFiles, SeedError } from '../../../src/seed.ts'
import { sharedDirectory } from '../../support/folder.ts'
import { agent, lines, model, texts } from '../../support/seed-texts.ts'

describe('what is reported', () => {
  test('every mistake of both files at once, in their order, one a line', () => {
    const broken = texts('llms: [5]\nmodels: 1\n', 'agents: nothing\n')
    expect(() => parseSeed(broken)).toThrow(
      expect.objectContaining({
        name: 'SeedError',
        code: 'SEED_INVALID',
        message: [
          'llms.yaml:1:8 llms[0]: must be a mapping, not the number 5',
          'llms.yaml:2:1 models: is not a known key (known: llms)',
          'system_agents.yaml:1:9 agents: must be a list, not "nothing"',
        ].join('\n'),
      }),
    )
  })

  test('a tab as indentation, and not what follows from it', () => {
    const agents =
      'agents:\n  - agent_type: A\n\tllm_model_code: x\n    status: active\n    config:\n      prompt: a\n'
    expect(lines('', agents)).toEqual([
      'system_agents.yaml:3:1 (document): a tab is not indentation: YAML takes spaces',
    ])
    expect(lines('', agents.replace('\t', ''))).toEqual([expect.not.stringContaining('a tab')])
  })

  test('an empty file, or one without the key, as an empty list and a note', () => {
    for (const [text, note] of [
      ['', 'llms.yaml: has no llms: read as an empty list'],
      ['# nothing yet\n', 'llms.yaml: has no llms: read as an empty list'],
      ['---\n', 'llms.yaml: has no llms: read as an empty list'],
      ['{}', 'llms.yaml: has no llms: read as an empty list'],
    ]) {
      expect(parseSeed(texts(text as string, 'agents: []'))).toMatchObject({ models: [], notes: [note] })
    }
    expect(parseSeed(texts('llms: []', 'agents: []')).notes).toEqual([])
  })

  test('a key of a configuration that is nearly a known one is noted with its place, and passed on', () => {
    const agents =
      'agents:\n- {agent_type: T, llm_model_code: m, status: active, config: {promt: x, max_step: 1, mine: 2}}'
    const { agents: rows, notes } = parseSeed(texts('llms: []', agents), ['m'])
    expect(rows[0]?.config).toEqual({ promt: 'x', max_step: 1, mine: 2 })
    expect(notes).toEqual([
      'system_agents.yaml:2:63 agents[0].config.promt: is not a known setting; it is stored as it is; did you mean "prompt"?',
      'system_agents.yaml:2:73 agents[0].config.max_step: is not a known setting; it is stored as it is; did you mean "max_steps"?',
      'system_agents.yaml:2:54 agents[0].config: has no prompt',
    ])
  })

  test('the known keys of a configuration have types, and every mistake is named with its place', () => {
    const wrong = (models: string, agents: string) => {
      try {
        parseSeed(
          texts(
            `llms:\n- {model_code: m, provider: p, display_name: M, status: active, config: {${models}}}`,
            `agents:\n- {agent_type: T, llm_model_code: m, status: active, config: {${agents}}}`,
          ),
        )
        return []
      } catch (error) {
        return (error as SeedError).diagnostics.map(({ path, message }) => `${path}: ${message}`)
      }
    }
    expect(
      wrong(
        'context_window: 1000, input: [text], tools: true',
        'prompt: p, temperature: 0.5, max_tokens: 1024, timeout_seconds: 1.5, max_steps: 3, response_format: json',
      ),
    ).toEqual([])
    expect(
      wrong(
        'context_window: 0, max_output_tokens: 1.5, input: text, tools: 1, temperature: no',
        'prompt: "  ", temperature: hot, max_tokens: "1024", timeout_seconds: -1, max_steps: no, response_format: xml',
      ),
    ).toEqual([
      'llms[0].config.context_window: must be more than 0, and is 0',
      'llms[0].config.max_output_tokens: must be a whole number, and is 1.5',
      'llms[0].config.input: must be a list, and is "text"',
      'llms[0].config.tools: must be true or false, and is 1',
      'llms[0].config.temperature: must be true or false, and is "no"',
      'agents[0].config.prompt: must not be blank, and is "  "',
      'agents[0].config.temperature: must be a number, and is "hot"',
      'agents[0].config.max_tokens: must be a whole number, and is "1024"',
      'agents[0].config.timeout_seconds: must be more than 0, and is -1',
      'agents[0].config.max_steps: must be a whole number, and is "no"',
      'agents[0].config.response_format: must be text or json, and is "xml"',
    ])
  })
})

test('what an agent asks and its model does not offer is noted with its place, and passed on', () => {
  const models = [
    model('plain', { config: { temperature: false, max_output_tokens: 100 } }),
    model('free', { config: { temperature: true } }),
  ]
  const config = { temperature: 0, max_tokens: 101, prompt: 'p' }
  const agents = [
    agent('A', 'plain', { config }),
    agent('B', 'free', { config }),
    agent('C', 'other', { config }),
  ]
  const { agents: rows, notes } = parseSeed(texts(models, agents), ['other'])
  expect(rows.map(row => row.config)).toEqual([config, config, config])
  expect(notes).toEqual([
    'system_agents.yaml:6:7 agents[0].config.temperature: "plain" takes no temperature; it is stored all the same',
    'system_agents.yaml:7:7 agents[0].config.max_tokens: "plain" gives at most 100 tokens; it is stored all the same',
  ])
  config.max_tokens = 100
  expect(parseSeed(texts(models, agents.slice(1)), ['other']).notes).toEqual([])
})

describe('files', () => {
  const directory = sharedDirectory()
  beforeAll(() => writeFile(join(directory, 'right.yaml'), ''))

  async function readAs(name: string, content?: string | Uint8Array) {
    const llms = resolve(directory, name)
    if (content !== undefined) await writeFile(llms, content)
    return readSeedFiles({ llms, agents: join(directory, 'right.yaml') })
  }

  test('that are missing or cannot be read are mistakes, both of them', async () => {
    const files = { llms: join(directory, 'missing.yaml'), agents: directory }
    const error = await readSeedFiles(files).catch(error => error)
    expect(error).toBeInstanceOf(SeedError)
    expect(error.message).toBe(
      `${files.llms}: the file does not exist\n${files.agents}: it is a directory, not a file`,
    )
  })

  test('that may not be read are a mistake, with the reason', async () => {
    await symlink('circle.yaml', join(directory, 'circle.yaml'))
    await expect(readAs('circle.yaml')).rejects.toThrow(/circle\.yaml: the file cannot be read: .*ELOOP/)
  })

  test('that are not UTF-8 are a mistake, with the line of the first wrong byte', async () => {
    const latin = Buffer.from('llms: []\n# caf\xe9\n# caf\xe9\n', 'latin1')
    await expect(readAs('latin.yaml', latin)).rejects.toThrow('latin.yaml: is not UTF-8 text: see line 2')
    const utf16 = Buffer.from('\uFEFFllms: []\n', 'utf16le')
    await expect(readAs('utf16.yaml', utf16)).rejects.toThrow('utf16.yaml: is not UTF-8 text: see line 1')
  })

  test('may begin with a byte order mark and end their lines as Windows does', async () => {
    const text = texts([model('m', { config: { prompt: 'one\ntwo\n' } })], '').llms.text
    const { models } = await readAs('windows.yaml', `\uFEFF${text.replaceAll('\n', '\r\n')}`)
    expect(models[0]?.config).toEqual({ prompt: 'one\ntwo\n' })
    await expect(readAs('bom.yaml', '\uFEFFllms: 5')).rejects.toThrow('bom.yaml:1:7 llms: must be a list')
  })

  test('that are devices or pipes are a mistake', async () => {
    const pipe = join(directory, 'pipe')
    execFileSync('sh', ['-c', `mkfifo ${pipe}`])
    await expect(readAs('pipe')).rejects.toThrow('pipe: it is not a regular file')
    await expect(readAs('/dev/zero')).rejects.toThrow('/dev/zero: it is not a regular file')
  })

  test('that are larger than 5 MB are a mistake', async () => {
    await expect(readAs('large.yaml', Buffer.alloc(5 * 1024 * 1024 + 1, 35))).rejects.toThrow(
      'is larger than 5 MB',
    )
  })
})
