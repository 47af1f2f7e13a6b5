import { describe, expect, test } from 'vitest'
import { llms, systemAgents } from '../../../src/schema.ts'
import { parseSeed } from '../../../src/seed.ts'
import { agent, lines, model, texts } from '../../support/seed-texts.ts'

describe('entries', () => {
  test.each([
    ['a file that is a list', '[]', '1:1 (document): must be a mapping, not a list'],
    ['a file that is text', 'hello', '1:1 (document): must be a mapping, not "hello"'],
    ['a file that is false', 'false', '1:1 (document): must be a mapping, not the truth value false'],
    ['a key without a list', 'llms:', '1:6 llms: must be a list, not nothing'],
    ['a mapping for a list', 'llms: {}', '1:7 llms: must be a list, not a mapping'],
    ['a top-level key nearly right', 'llm: []', '1:1 llm: is not a known key; did you mean "llms"?'],
    ['an entry that is nothing', 'llms:\n  -\n', '2:4 llms[0]: must be a mapping, not nothing'],
  ])('%s', (_, text, line) => {
    expect(lines(text, '')).toEqual([`llms.yaml:${line}`])
  })

  test.each([
    ['missing', { status: undefined }, '2:5 llms[0].status: is missing'],
    ['unknown', { statsu: 'active' }, '7:5 llms[0].statsu: is not a known key; did you mean "status"?'],
    ['unknown, even __proto__', { ['__proto__']: 1 }, '7:5 llms[0].__proto__: is not a known key'],
    ['not text', { provider: 5 }, '3:15 llms[0].provider: must be text, not the number 5'],
    ['blank', { provider: ' \t' }, '3:15 llms[0].provider: must not be blank'],
    [
      'not a status',
      { status: 'actve' },
      '5:13 llms[0].status: must be active or inactive, not "actve"; did you mean',
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
      'system_agents.yaml:13:21 agents[2].llm_model_code: agent "V" needs the unknown model "modle-1"; ' +
        'did you mean "model-1"? (known: m, model-1, stored)',
    ])
  })

  test('is left for the database to know when no codes are given', () => {
    const { references } = parseSeed(texts([model('m')], [agent('T', 'm'), agent('U', 'stored')]))
    expect(references).toMatchObject([{ model: 'stored', at: { line: 8, column: 21 } }])
  })

  test('is known although its entry has another mistake', () => {
    expect(lines([model('m', { status: 'on' })], [agent('T', 'm')], [])).toHaveLength(1)
  })

  test('is not called unknown when the file of models cannot be read', () => {
    expect(lines('llms: [', [agent('T', 'm')], [])).toEqual([expect.stringMatching(/^llms\.yaml:/)])
    expect(lines('llm: [{ model_code: m }]', [agent('T', 'm')], [])).toHaveLength(1)
  })
})
