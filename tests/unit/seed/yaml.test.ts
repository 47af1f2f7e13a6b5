import { describe, expect, test } from 'vitest'
import { parseSeed } from '../../../src/seed/index.ts'
import { agent, lines, model, texts, withConfig } from '../../support/seed-texts.ts'

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
    const rows = Array.from({ length: 1000 }, (_, i) => agent(`T${i}`, 'm'))
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
