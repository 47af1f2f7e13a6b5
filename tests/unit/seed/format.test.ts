import { describe, expect, test } from 'vitest'
import { type FieldChange, formatChange } from '../../../src/seed.ts'

const change = (before: FieldChange['before'], after: FieldChange['after']) =>
  formatChange({
    field: 'config.x',
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  })
const page = Array.from({ length: 60 }, (_, i) => `Line ${i}.`).join('\n')

describe('a change', () => {
  test.each([
    [1, true, '1 -> true'],
    ['1', 1, '"1" -> 1'],
    [undefined, null, '(none) -> null'],
    [{ a: [1] }, undefined, '{"a":[1]} -> (none)'],
    ['a\nb', 'a\n', '"a\\nb" -> "a\\n"'],
  ])('of %j to %j is one line', (before, after, line) => {
    expect(change(before, after)).toEqual([`config.x: ${line}`])
  })

  test('of long text shows the lines that differ, with one line around them', () => {
    expect(change(page, page.replace('Line 30', 'Zeile 30').replace('Line 55.\n', ''))).toEqual([
      'config.x:',
      '   Line 29.',
      '  -Line 30.',
      '  +Zeile 30.',
      '   Line 31.',
      '  …',
      '   Line 54.',
      '  -Line 55.',
      '   Line 56.',
    ])
  })

  test('of a paragraph without line breaks shows the sentence that differs', () => {
    const sentence = (i: number) => `Rule ${i} is that nobody is to be kept waiting. `
    const paragraph = Array.from({ length: 20_000 }, (_, i) => sentence(i)).join('')
    expect(change(paragraph, paragraph.replace('Rule 700 is', 'Rule 700 was'))).toEqual([
      'config.x:',
      `   ${sentence(699)}↩`,
      `  -${sentence(700)}↩`,
      `  +${sentence(700).replace('is', 'was')}↩`,
      `   ${sentence(701)}↩`,
    ])
  })

  test('within long settings shows the lines of JSON that differ', () => {
    const tools = Array.from({ length: 20 }, (_, i) => ({ name: `tool ${i}`, cost: i }))
    expect(change(tools, tools.with(7, { name: 'tool 7', cost: 8 }))).toEqual([
      'config.x:',
      '       "name": "tool 7",',
      '  -    "cost": 7',
      '  +    "cost": 8',
      '     },',
    ])
  })

  test('of everything is cut short', () => {
    expect(change(undefined, page).slice(0, 2)).toEqual(['config.x:', '  +Line 0.'])
    expect(change(page, undefined).at(-1)).toBe('  … and 40 more lines')
    const numbers = (step: number) => Array.from({ length: 5000 }, (_, i) => (i * step) % 4999).join('\n')
    expect(change(numbers(7), numbers(11))).toEqual(['config.x: 28887 -> 28887 characters'])
  })

  test.each([
    ['one line', 'x'.repeat(8_000_000)],
    ['words', 'be kind '.repeat(1_000_000)],
    ['lines', 'a\n'.repeat(4_000_000)],
    ['a key', { ['k'.repeat(5_000_000)]: 1 }],
  ])('of megabytes in %s gives the lengths', (_, value) => {
    const { length } = JSON.stringify(value)
    expect(change(value, 'short')).toEqual([`config.x: ${length} -> 7 characters`])
  })

  test('prints no control character that a terminal would obey', () => {
    expect(change('x', `\u001b[31m${'x'.repeat(80)}\u009b`).join('\n')).toMatch(/\\x1b\[31mx+\\x9b/)
  })
})
