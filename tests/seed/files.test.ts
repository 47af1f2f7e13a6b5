import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { llms, systemAgents } from '../../src/schema/index.ts'
import { formatMistake, parseSeed, readSeedFiles, SeedError } from '../../src/seed/index.ts'
import { agent, mistakesOf, model, texts, withConfig } from './texts.ts'

const lines = (llms: object[] | string, agents: object[] | string, known?: string[]) =>
  mistakesOf(llms, agents, known).map(formatMistake)

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

  test('the line at fault, with the place for a caret', () => {
    const [mistake] = mistakesOf('llms: [5]\n', '')
    expect(mistake).toMatchObject({ line: 1, column: 8, path: 'llms[0]', source: 'llms: [5]', caret: 7 })
  })

  test('the part of a very long line that matters', () => {
    const [mistake] = mistakesOf(`llms: ["${'x'.repeat(1_000_000)}", 5]`, '').slice(1)
    expect(mistake!.source!.length).toBeLessThan(200)
    expect(mistake!.source![mistake!.caret!]).toBe('5')
  })

  test('an empty file, or one without the key, as an empty list and a note', () => {
    for (const [text, note] of [
      ['', 'llms.yaml is empty: read as an empty list'],
      ['# nothing yet\n', 'llms.yaml is empty: read as an empty list'],
      ['---\n', 'llms.yaml is empty: read as an empty list'],
      ['{}', 'llms.yaml has no llms: read as an empty list'],
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
      'system_agents.yaml:2:63 agents[0].config.promt: is passed on as it is, did you mean "prompt"?',
      'system_agents.yaml:2:73 agents[0].config.max_step: is passed on as it is, did you mean "max_steps"?',
    ])
  })
})

describe('YAML', () => {
  test('all syntax errors of a file, each where it is', () => {
    const mistakes = lines('llms:\n  - "a\\qb"\n  - [1, 2\n  - "c\n', '')
    expect(mistakes).toEqual([
      expect.stringMatching(/^llms\.yaml:2:7 \(document\): Invalid escape sequence/),
      expect.stringMatching(/^llms\.yaml:4:\d+ \(document\): /),
      expect.stringMatching(/^llms\.yaml:[45]:\d+ \(document\): /),
    ])
  })

  test('a duplicate key, with the line of the first; "1" and 1 are not two keys either', () => {
    expect(lines(withConfig('a: 1\nb: 2\na: 3'), '')).toEqual([
      'llms.yaml:9:7 llms[0].config.a: is a duplicate key; the first is on line 7',
    ])
    expect(lines(withConfig('"1": a\n1: b'), '')).toEqual([
      'llms.yaml:8:7 llms[0].config: has a key that is not text, as JSON keys are: write it in quotes',
    ])
  })

  test('a second document', () => {
    expect(lines('llms: []\n---\nllms: []\n', '')).toEqual([
      'llms.yaml:2:1 (document): a second YAML document begins here; a seed file holds one',
    ])
  })

  test('anchors, aliases and merges mean what YAML says', () => {
    const { models } = parseSeed(
      texts(
        `llms:
  - &base { model_code: a, provider: p, display_name: A, status: active, config: &c { x: 1, y: &l [1, 2] } }
  - { <<: *base, model_code: b }
  - { model_code: c, <<: [{ config: { <<: *c, x: 2, "<<": text } }, *base] }
  - { <<: *base, model_code: d, config: { l: *l } }
`,
        '',
      ),
    )
    expect(models.map(({ model_code, config }) => [model_code, config])).toEqual([
      ['a', { x: 1, y: [1, 2] }],
      ['b', { x: 1, y: [1, 2] }],
      ['c', { x: 2, y: [1, 2], '<<': 'text' }],
      ['d', { l: [1, 2] }],
    ])
    expect(models.every(({ provider, status }) => provider === 'p' && status === 'active')).toBe(true)
  })

  test('an alias means the last anchor before it, also inside a value that bears the same name', () => {
    const { models } = parseSeed(texts(withConfig('a: &x 1\nb: *x\nc: &x { d: &x 2, e: *x }\nf: *x'), ''))
    expect(models[0]?.config).toEqual({ a: 1, b: 1, c: { d: 2, e: 2 }, f: 2 })
  })

  test('a mistake in a merged value stands where that value does', () => {
    const wrong = `llms:
  - &base
    model_code: a
    provider: p
    display_name: A
    status: on
    config: {}
  - <<: *base
    model_code: b
`
    expect(lines(wrong, '')).toEqual([
      'llms.yaml:6:13 llms[0].status: must be active or inactive, not "on"',
      'llms.yaml:6:13 llms[1].status: must be active or inactive, not "on"',
    ])
  })

  test.each([
    ['an alias without an anchor', 'a: *gone', '7:10', '*gone has no anchor &gone before it'],
    ['an alias of what contains it', 'a: &a [1, *a]', '7:17', '*a contains itself'],
    ['a tag that is nobody’s', 'a: !secret x', '7:18', 'has the tag !secret'],
    ['a binary', 'a: !!binary aGk=', '7:19', 'has the tag tag:yaml.org,2002:binary'],
    ['a set', 'a: !!set { x, y }', '7:16', 'has the tag tag:yaml.org,2002:set'],
    [
      'a merge of what is no mapping',
      '<<: 1',
      '7:11',
      'only a mapping, or a list of mappings, can be merged',
    ],
    ['a second merge', '<<: {}\n<<: {}', '8:7', 'a second << in one mapping'],
  ])('%s is a mistake', (_, settings, position, message) => {
    expect(lines(withConfig(settings), '')).toEqual([
      expect.stringMatching(new RegExp(`^llms\\.yaml:${position} `)),
    ])
    expect(lines(withConfig(settings), '')[0]).toContain(message)
  })

  test('a file that grows without end when its aliases are written out is one mistake', () => {
    const bomb = ['a: &a0 [x, x, x, x, x, x, x, x, x, x]']
    for (let i = 1; i < 12; i += 1)
      bomb.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      )
    expect(lines(withConfig(bomb.join('\n')), '')).toEqual([
      expect.stringMatching(/^llms\.yaml:1[23]:\d+ llms\[0]\.config\.a[56]\[\d]: is too much/),
    ])
  })

  test('one text may be used by every agent', () => {
    const rows = Array.from({ length: 5000 }, (_, i) => agent(`T${i}`, 'm'))
    const { text } = texts([], rows).agents
    const shared = text.replace('prompt: You are T0.', 'prompt: &prompt You are one.')
    const aliased = shared.replace(/prompt: You are T\d+\./g, 'prompt: *prompt')
    const { agents } = parseSeed(texts([model('m')], aliased))
    expect(agents.at(-1)?.config).toEqual({ prompt: 'You are one.' })
  })

  test.each([
    ['lists', '['.repeat(100_000)],
    ['lists in block style', '- '.repeat(100_000)],
    ['mappings', '{a: '.repeat(100_000)],
    ['keys', '? '.repeat(100_000)],
  ])('%s nested a hundred thousand deep are a mistake', (_, text) => {
    expect(lines(text, '')).toEqual([expect.stringContaining('is nested more than 100 deep')])
  })

  test('aliases do not nest deeper than that either', () => {
    const deep = Array.from({ length: 5 }, (_, i) => {
      const inner = i === 0 ? '1' : `*a${i - 1}`
      return `a${i}: &a${i} ${'['.repeat(50)}${inner}${']'.repeat(50)}`
    })
    expect(lines(withConfig(deep.join('\n')), '')).toContainEqual(
      expect.stringContaining('is nested more than 100 deep'),
    )
  })
})

describe('values that JSON and jsonb cannot hold', () => {
  test.each([
    ['a: .nan', 'is .nan, which JSON cannot hold'],
    ['a: .inf', 'is .inf, which JSON cannot hold'],
    ['a: -.inf', 'is -.inf, which JSON cannot hold'],
    ['a: 1e400', 'is 1e400, which JSON cannot hold'],
    ['a: 9007199254740992', '9007199254740992 is a number that JSON readers change: write it in quotes'],
    ['a: -9007199254740993', '-9007199254740993 is a number that JSON readers change: write it in quotes'],
    [
      'a: 0.12345678901234567890',
      '0.12345678901234567890 is a number that JSON readers change: write it in quotes',
    ],
    ['a: 1e-400', '1e-400 is a number that JSON readers change: write it in quotes'],
    ['a: "x\\0y"', 'holds a NUL character, which PostgreSQL cannot store'],
    ['"x\\0y": 1', 'holds a NUL character, which PostgreSQL cannot store'],
    ['a: "\\uD800"', 'holds half of a surrogate pair, which is no character'],
    ['"\\uDC00": 1', 'holds half of a surrogate pair, which is no character'],
    ['1: a', 'has a key that is not text, as JSON keys are: write it in quotes'],
    ['null: a', 'has a key that is not text, as JSON keys are: write it in quotes'],
    ['? [a]\n: b', 'has a key that is not text, as JSON keys are: write it in quotes'],
  ])('%s is a mistake with its place', (settings, message) => {
    const [line, ...others] = lines(withConfig(settings), '')
    expect(line).toMatch(/^llms\.yaml:7:\d+ llms\[0]\.config/)
    expect(line).toContain(message)
    expect(others).toEqual([])
  })

  test('a date under YAML 1.1', () => {
    const [line] = lines(`%YAML 1.1\n---\n${withConfig('a: 2001-01-01')}`, '')
    expect(line).toBe(
      'llms.yaml:9:10 llms[0].config.a: is a date, which JSON cannot hold: write it in quotes',
    )
  })

  test('everything else is read as it stands', () => {
    const config = `a: 9007199254740991
b: 1.50
c: 1.0e3
d: 2001-01-01
e: yes
f: ~
g: "\\uD83D\\uDE00"
h: 0x1F
i: 0.1
j: -0
k: 1e20
__proto__: { x: 1 }
constructor: c
`
    const { models } = parseSeed(texts(withConfig(config), ''))
    expect(JSON.stringify(models[0]?.config)).toBe(
      '{"a":9007199254740991,"b":1.5,"c":1000,"d":"2001-01-01","e":"yes","f":null,"g":"😀","h":31,"i":0.1,' +
        '"j":0,"k":100000000000000000000,"__proto__":{"x":1},"constructor":"c"}',
    )
  })

  test('a value of an entry is reported once, not as missing as well', () => {
    const wrong = texts([model('m')], '').llms.text.replace('status: active', 'status: .nan')
    expect(lines(wrong, '')).toEqual(['llms.yaml:5:13 llms[0].status: is .nan, which JSON cannot hold'])
  })
})

describe('entries', () => {
  test.each([
    ['a file that is a list', '[]', '1:1 (document): must be a mapping, not a list'],
    ['a file that is text', 'hello', '1:1 (document): must be a mapping, not "hello"'],
    ['a file that is false', 'false', '1:1 (document): must be a mapping, not the truth value false'],
    ['a key without a list', 'llms:', '1:6 llms: must be a list, not nothing'],
    ['a mapping for a list', 'llms: {}', '1:7 llms: must be a list, not a mapping'],
    ['a top-level key nearly right', 'llm: []', '1:1 llm: is not a known key, did you mean "llms"?'],
    ['an entry that is nothing', 'llms:\n  -\n', '2:4 llms[0]: must be a mapping, not nothing'],
  ])('%s', (_, text, line) => {
    expect(lines(text, '')).toEqual([`llms.yaml:${line}`])
  })

  test.each([
    ['missing', { status: undefined }, '2:5 llms[0].status: is missing'],
    ['unknown', { statsu: 'active' }, '7:5 llms[0].statsu: is not a known key, did you mean "status"?'],
    ['unknown, even __proto__', { ['__proto__']: 1 }, '7:5 llms[0].__proto__: is not a known key'],
    ['not text', { provider: 5 }, '3:15 llms[0].provider: must be text, not the number 5'],
    ['blank', { provider: ' \t' }, '3:15 llms[0].provider: must not be blank'],
    [
      'not a status',
      { status: 'actve' },
      '5:13 llms[0].status: must be active or inactive, not "actve", did you mean',
    ],
    ['not a mapping', { config: [] }, '6:13 llms[0].config: must be a mapping'],
    ['too long', { provider: 'x'.repeat(51) }, '3:15 llms[0].provider: is longer than the 50 characters'],
  ])('a field that is %s', (_, change, line) => {
    const entry = { ...model('m'), config: {}, ...change }
    const result = lines([entry], '')
    expect(result).toEqual([expect.stringContaining(`llms.yaml:${line}`)])
  })

  test.each([
    ['model_code', llms.modelCode],
    ['provider', llms.provider],
    ['display_name', llms.displayName],
    ['agent_type', systemAgents.agentType],
  ])('a %s may be as long as its column is, and no longer', (field, { length }) => {
    const of = (size: number) => {
      const change = { [field]: 'x'.repeat(size) }
      return field === 'agent_type' ? texts([], [agent('T', 'm', change)]) : texts([model('m', change)], [])
    }
    expect(length).toBeGreaterThan(0)
    expect(() => parseSeed(of(Number(length)))).not.toThrow()
    expect(() => parseSeed(of(Number(length) + 1))).toThrow(`is longer than the ${length} characters`)
  })

  test('a length is counted in characters, as PostgreSQL does', () => {
    expect(parseSeed(texts([model('m', { provider: '😀'.repeat(50) })], '')).models).toHaveLength(1)
    expect(lines([model('m', { provider: '😀'.repeat(51) })], '')).toHaveLength(1)
  })

  test('a key used twice names the line of the first', () => {
    expect(lines([model('m'), model('n'), model('m')], [])).toEqual([
      'llms.yaml:14:17 llms[2].model_code: "m" was used already on line 2',
    ])
    expect(lines([model('m')], [agent('T', 'm'), agent('T', 'm')])).toEqual([
      'system_agents.yaml:7:17 agents[1].agent_type: "T" was used already on line 2',
    ])
  })
})

describe('a model that an agent uses', () => {
  test('has to be among those of the file or of the database', () => {
    const agents = [agent('T', 'm'), agent('U', 'stored'), agent('V', 'modle-1')]
    expect(lines([model('m'), model('model-1')], agents, ['stored'])).toEqual([
      'system_agents.yaml:13:21 agents[2].llm_model_code: agent "V" needs the unknown model "modle-1", ' +
        'did you mean "model-1"? (known: m, model-1, stored)',
    ])
  })

  test('is left for the database to know when no codes are given', () => {
    const { references } = parseSeed(texts([model('m')], [agent('T', 'm'), agent('U', 'stored')]))
    expect(references).toMatchObject([{ agent: 'U', model: 'stored', at: { line: 8, column: 21 } }])
  })

  test('is known although its entry has another mistake', () => {
    expect(lines([model('m', { status: 'on' })], [agent('T', 'm')], [])).toHaveLength(1)
  })

  test('is not called unknown when the file of models cannot be read', () => {
    expect(lines('llms: [', [agent('T', 'm')], [])).toEqual([expect.stringMatching(/^llms\.yaml:/)])
    expect(lines('llm: [{ model_code: m }]', [agent('T', 'm')], [])).toHaveLength(1)
  })
})

describe('files', () => {
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'seed-files-'))
    await writeFile(join(directory, 'right.yaml'), '')
  })
  afterAll(() => rm(directory, { recursive: true }))

  async function readAs(name: string, content?: string | Uint8Array) {
    const llms = join(directory, name)
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

  test('that are not UTF-8 are a mistake at the first wrong byte', async () => {
    const latin = Buffer.from('llms: []\n# caf\xe9\n# caf\xe9\n', 'latin1')
    await expect(readAs('latin.yaml', latin)).rejects.toThrow('latin.yaml:2:6 (document): is not UTF-8 text')
    const utf16 = Buffer.from('\uFEFFllms: []\n', 'utf16le')
    await expect(readAs('utf16.yaml', utf16)).rejects.toThrow('utf16.yaml:1:1 (document): is not UTF-8 text')
  })

  test('may begin with a byte order mark and end their lines as Windows does', async () => {
    const text = texts([model('m', { config: { prompt: 'one\ntwo\n' } })], '').llms.text
    const { models } = await readAs('windows.yaml', `\uFEFF${text.replaceAll('\n', '\r\n')}`)
    expect(models[0]?.config).toEqual({ prompt: 'one\ntwo\n' })
    await expect(readAs('bom.yaml', '\uFEFFllms: 5')).rejects.toThrow('bom.yaml:1:7 llms: must be a list')
  })

  test('that are larger than 64 MB are a mistake', async () => {
    await expect(readAs('large.yaml', Buffer.alloc(65 * 1024 * 1024, 35))).rejects.toThrow(
      'is larger than 64 MB',
    )
  })
})
