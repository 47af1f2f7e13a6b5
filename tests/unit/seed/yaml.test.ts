import { describe, expect, test } from 'vitest'
import { parseSeed } from '../../../src/seed.ts'
import { agent, lines, model, texts, withConfig } from '../../support/seed-texts.ts'

describe('YAML', () => {
  test('every slip of a file, where it is', () => {
    expect(lines('llms:\n  - "a\\qb"\n  - a: b: c: d\n  - [1, 2\n  - "c\n', '')).toEqual([
      'llms.yaml:2:7 (document): Invalid escape sequence \\q',
      'llms.yaml:3:8 (document): has a colon and a space in it, as a key has: put the text in quotes',
      'llms.yaml:5:3 (document): a bracket before this is not closed',
    ])
  })

  const indentation = 'is not indented like the lines it belongs to'
  const continued = 'the next line is indented further: align the two, or put the text in quotes'
  const ended = 'follows a quote, bracket or alias that has ended: put all of the text in quotes'
  const colon = 'has a colon and a space in it, as a key has: put the text in quotes'
  test.each([
    ['one space too few', '  a: b\n c: d\n  e: f', '3:1', indentation],
    ['one space too many', '  a: b\n   c: d\n  e: f', '2:6', continued],
    ['a list that is one space off', '  - a: b\n - c: d\n   e: f', '3:1', indentation],
    ['text below | with too few spaces', '  a: |\n    b\n   c\n  d: e', '4:1', indentation],
    ['a colon in a line of text', '  a: You are: kind, and: never: rude', '2:6', colon],
    [
      'no space after a colon',
      '  a:b\n  c: d',
      '2:3',
      'is not "key: value": the colon, or the space after it, is missing',
    ],
    ['text after a quote', "  a: 'don't'", '2:11', ended],
    ['a placeholder', '  a: {name} is here', '2:13', ended],
    ['bold text', '  a: **bold** text', '2:15', ended],
    ['an at sign', '  a: @user', '2:6', 'text cannot begin with this character: put it in quotes'],
    ['a quote that is not closed', '  a: "b\n  c: d', '2:6', 'this quote is not closed'],
    ['a second document', '---', '2:1', 'a second YAML document begins here; a seed file holds one'],
    ['text after |', '  a: | b', '2:8', 'the text after > or | begins on the next line'],
    [
      'a dash',
      '  a: - b',
      '2:6',
      'a list begins on a line below its key; a text that begins with a dash goes in quotes',
    ],
  ])('%s is one line that says what to do', (_, text, place, message) => {
    expect(lines(`llms:\n${text}\n`, '')).toEqual([`llms.yaml:${place} (document): ${message}`])
  })

  test('a duplicate key, with the line of the first; "1" and 1 are one key', () => {
    expect(lines(withConfig('a: 1\nb: 2\na: 3'), '')).toEqual([
      'llms.yaml:9:7 llms[0].config.a: is a duplicate key; the first is on line 7',
    ])
    expect(lines(withConfig('"1": a\n1: b'), '')).toEqual([
      'llms.yaml:8:7 llms[0].config.1: is a duplicate key; the first is on line 7',
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

  test('a mistake in a merged value stands where it is, and where it is merged', () => {
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
      'llms.yaml:8:5 llms[1].status: must be active or inactive, not "on"',
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
    ['a second merge', '<<: {}\n<<: {}', '8:7', 'is a duplicate key; the first is on line 7'],
  ])('%s is a mistake', (_, settings, position, message) => {
    expect(lines(withConfig(settings), '')).toEqual([
      expect.stringMatching(new RegExp(`^llms\\.yaml:${position} `)),
    ])
    expect(lines(withConfig(settings), '')[0]).toContain(message)
  })

  test('one text may be used by every agent', () => {
    const rows = Array.from({ length: 1000 }, (_, i) => agent(`T${i}`, 'm'))
    const { text } = texts([], rows).agents
    const shared = text.replace('prompt: You are T0.', 'prompt: &prompt You are one.')
    const aliased = shared.replace(/prompt: You are T\d+\./g, 'prompt: *prompt')
    const { agents } = parseSeed(texts([model('m')], aliased))
    expect(agents.at(-1)?.config).toEqual({ prompt: 'You are one.' })
  })

  const chain = (first: string, next: (i: number) => string) =>
    withConfig([`a0: &a0 ${first}`, ...Array.from({ length: 200 }, (_, i) => next(i + 1))].join('\n'))
  const deep = 'is nested more than 100 deep'
  const pieces = 'more than 750000 keys, values and marks are too many'
  const anchors = 'more than 50000 anchors, aliases and tags are too many'
  test.each([
    ['lists in lists', '['.repeat(100_000), deep],
    ['lists in lists, in block style', '- '.repeat(100_000), deep],
    ['mappings in mappings', '{a: '.repeat(100_000), deep],
    ['keys in keys', '? '.repeat(100_000), deep],
    ['aliases of what has an alias', chain('[]', i => `a${i}: &a${i} [*a${i - 1}]`), deep],
    ['aliases of ten aliases', chain('x', i => `a${i}: &a${i} [${`*a${i - 1}, `.repeat(10)}]`), 'over 5 MB'],
    ['aliases of a long text', chain('x'.repeat(100_000), i => `a${i}: *a0`), 'over 5 MB'],
    ['merges of merges', chain('{}', i => `a${i}: &a${i} { <<: *a${i - 1} }`), deep],
    ['anchors', '&a '.repeat(300_000), anchors],
    ['aliases', `a: &a 1\nb: [${'*a, '.repeat(300_000)}]`, anchors],
    ['tags', '!x '.repeat(300_000), anchors],
    ['values', `llms:\n${'- 1\n'.repeat(1_000_000)}`, pieces],
    ['duplicate keys', withConfig('a: 1\n'.repeat(300_000)), pieces],
    ['documents', '---\n'.repeat(1_000_000), pieces],
    ['wrong escapes', `llms: "${'\\q'.repeat(2_000_000)}"`, 'more than 1000 wrong escapes are too many'],
  ])('a file of many %s is one mistake', (_, text, message) => {
    expect(lines(text, '')).toEqual([expect.stringMatching(new RegExp(`${message}$`))])
  })

  test('many mistakes are all reported', () => {
    expect(lines(withConfig('a: .nan\n'.repeat(20_000)), '')).toHaveLength(39_999)
  })
})

describe('values that JSON and jsonb cannot hold', () => {
  test.each([
    ['a: .nan', 'is .nan, which JSON cannot hold'],
    ['a: .inf', 'is .inf, which JSON cannot hold'],
    ['a: 1e400', 'is 1e400, which JSON cannot hold'],
    ['a: 9007199254740992', '9007199254740992 cannot be represented exactly in JSON: write it in quotes'],
    [
      'a: 0.12345678901234567890',
      '0.12345678901234567890 cannot be represented exactly in JSON: write it in quotes',
    ],
    [`a: 1.${'9'.repeat(2000)}`, '… cannot be represented exactly in JSON: write it in quotes'],
    ['a: 1e-400', '1e-400 cannot be represented exactly in JSON: write it in quotes'],
    ['a: "x\\0y"', 'holds a NUL or half of a surrogate pair, which PostgreSQL cannot store'],
    ['"x\\0y": 1', 'holds a NUL or half of a surrogate pair, which PostgreSQL cannot store'],
    ['a: "\\uD800"', 'holds a NUL or half of a surrogate pair, which PostgreSQL cannot store'],
    ['"\\uDC00": 1', 'holds a NUL or half of a surrogate pair, which PostgreSQL cannot store'],
  ])('%s is a mistake with its place', (settings, message) => {
    const [line, ...others] = lines(withConfig(settings), '')
    expect(line).toMatch(/^llms\.yaml:7:\d+ llms\[0]\.config/)
    expect(line).toContain(message)
    expect(others).toEqual([])
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
})

describe('what YAML 1.1 reads differently', () => {
  test.each([
    ['a: yes', '"yes"', 'the truth value true'],
    ['a: 1_000', '"1_000"', 'the number 1000'],
    ['a: 0777', 'the number 777', 'the number 511'],
    ['a: 0b11', '"0b11"', 'the number 3'],
    ['a: 0o17', 'the number 15', '"0o17"'],
    ['a: 1:30', '"1:30"', 'the number 90'],
    ['a: 2001-01-01', '"2001-01-01"', 'a date'],
    ['a: 09', 'the number 9', '"09"'],
    ['a: 1e3', 'the number 1000', '"1e3"'],
    ['a: -.5', 'the number -0.5', '"-.5"'],
    ['a: =', '"="', 'an error'],
    ['a: <<', '"<<"', 'an error'],
    ['%YAML 1.1', '"yes"', 'the truth value true'],
  ])('%s is noted with its place, and read as YAML 1.2 has it', (settings, now, before) => {
    const directive = settings.startsWith('%')
    const text = directive ? `${settings}\n---\n${withConfig('a: yes')}` : withConfig(settings)
    expect(parseSeed(texts(text, '')).notes.filter(note => note.startsWith('llms.yaml:'))).toEqual([
      `llms.yaml:${directive ? 9 : 7}:10 llms[0].config.a: is ${now}; in YAML 1.1 it was ${before}`,
    ])
  })

  test.each([
    'a: true',
    'a: 1.5e+3',
    'a: 01:30',
    'a: 2024-1-1',
    'a: "1.10"',
    '<<: { a: 1 }',
    '1: 1',
    'null: 1',
    'a: 0x1F',
    'a: "yes"',
    'a: no way',
    'a: ~',
  ])('%s is the same in both', settings => {
    expect(parseSeed(texts(withConfig(settings), 'agents: []')).notes).toEqual([])
  })
  test.each([
    ['yes: 1', 'yes', 'is "yes"; in YAML 1.1 it was the truth value true'],
    ['1_0: 1', '1_0', 'is "1_0"; in YAML 1.1 it was the number 10'],
    ['~: 1', '["~"]', 'is "~"; in YAML 1.1 it was nothing'],
  ])('a key is noted like a value: %s', (settings, key, message) => {
    const [note] = parseSeed(texts(withConfig(settings), 'agents: []')).notes
    expect(note).toBe(`llms.yaml:7:7 llms[0].config${key.startsWith('[') ? '' : '.'}${key}: ${message}`)
  })

  test.each(['1.10', '-20.50'])('%s is noted too: it loses its zero', written => {
    const [note] = parseSeed(texts(withConfig(`a: ${written}`), 'agents: []')).notes
    const now = `is the number ${Number(written)}; in quotes it would be "${written}"`
    expect(note).toBe(`llms.yaml:7:10 llms[0].config.a: ${now}`)
  })
})
