import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { Composer, type CST, type Document, Lexer, LineCounter, Parser } from 'yaml'
import { clip } from '../printable.ts'
import type { Json } from '../schema/json.ts'
import { type Diagnostic, formatPath } from './diagnostic.ts'
import { MAX_DEPTH, offsetsIn, type Path, type Report, readValues, TOO_DEEP } from './values.ts'

/** What a YAML file says, and where each part of it is. */
export interface YamlFile {
  file: string
  /** Undefined where the file could not be read as far as its values. */
  value: Json | undefined
  /** What is wrong so far. */
  diagnostics: Diagnostic[]
  /** What is not wrong but worth knowing, such as what YAML 1.1 would have read differently. */
  notes: Diagnostic[]
  /** Where the value at a path, or its key, begins; if it is missing or merged in, where its nearest parent begins. */
  locate: (path: Path, message: string, at?: 'key' | 'value') => Diagnostic
  /** Adds a diagnostic, unless the value at that place could not be read. */
  report: (path: Path, message: string, at?: 'key' | 'value') => void
}

/** The most bytes that a file may have: some hundred times what people write. */
const MAX_SIZE = 5 * 1024 * 1024

const ESCAPE = /\\(?:[0abefnrtvN_LP "\\/\t\r\n]|x[\da-f]{2}|u[\da-f]{4}|U[\da-f]{8})/gi

function wrongEscapes(piece: string): number {
  return piece.startsWith('"') ? piece.replace(ESCAPE, '').split('\\').length - 1 : 0
}

/** Some more than 10,000 agents have, and few enough to be read within seconds. */
const LIMITS: { most: number; of: string; among: (piece: string) => number }[] = [
  { most: 750_000, of: 'keys, values and marks', among: () => 1 },
  { most: 50_000, of: 'anchors, aliases and tags', among: piece => Number(/^[&*!]/.test(piece)) },
  { most: 1000, of: 'wrong escapes', among: wrongEscapes },
]

/** Reads a YAML file. That it cannot be read is a diagnostic too. */
export async function readYamlFile(file: string): Promise<YamlFile> {
  const failed = (message: string): YamlFile => ({
    ...parseYaml(file, ''),
    value: undefined,
    diagnostics: [{ file, path: '', message }],
  })
  try {
    const stats = await stat(file)
    if (stats.isDirectory()) return failed('it is a directory, not a file')
    if (!stats.isFile()) return failed('it is not a regular file')
    const bytes = await buffer(createReadStream(file, { end: MAX_SIZE }))
    if (bytes.length > MAX_SIZE) return failed('the file is larger than 5 MB')
    const text = bytes.toString('utf8')
    if (isUtf8(bytes)) return parseYaml(file, text.replace(/^\uFEFF/, ''))
    const [before = ''] = text.split('\uFFFD', 1)
    return failed(`is not UTF-8 text: see line ${before.split('\n').length}`)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return failed('the file does not exist')
    return failed(`the file cannot be read: ${code === 'EACCES' ? 'permission denied' : message}`)
  }
}

/** Reads YAML text. `file` is what diagnostics call it. */
export function parseYaml(file: string, text: string): YamlFile {
  const lines = lineCounterOf(text)
  const diagnostics: Diagnostic[] = []
  const notes: Diagnostic[] = []
  const wrongPlaces = new Set<number>()
  const diagnosticAt = (offset: number, path: Path, message: string) => {
    const { line, col: column } = lines.linePos(Math.min(offset, text.length))
    return { file, line, column, path: formatPath(path), message: clip(message, 500) }
  }
  const wrong: Report = (offset, ...what) => {
    wrongPlaces.add(offset)
    diagnostics.push(diagnosticAt(offset, ...what))
  }
  const document = compose(text, lines, wrong)
  const note: Report = (...what) => notes.push(diagnosticAt(...what))
  const value = readValues(document?.contents, lines, wrong, note)
  const offsetOf = offsetsIn(document?.contents)
  return {
    file,
    value: document && value,
    diagnostics,
    notes,
    locate: (path, message, at) => diagnosticAt(offsetOf(path, at), path, message),
    report: (path, message, at) => {
      const offset = offsetOf(path, at)
      if (!wrongPlaces.has(offset)) diagnostics.push(diagnosticAt(offset, path, message))
    },
  }
}

/**
 * The document, unless something is wrong with its syntax. The parser is fed piece by piece: what reads its tokens calls
 * itself for each level of them, and too many levels would end the process.
 */
function compose(text: string, lines: LineCounter, wrong: Report): Document | undefined {
  const parser = new Parser()
  const tokens: CST.Token[] = []
  const limits = LIMITS.map(limit => ({ ...limit, count: 0 }))
  for (const piece of new Lexer().lex(text)) {
    for (const token of parser.next(piece)) tokens.push(token)
    for (const limit of limits) limit.count += limit.among(piece)
    const passed = limits.find(({ count, most }) => count > most)
    // The document itself, and a scalar, are on the stack too.
    const isTooDeep = parser.stack.length > MAX_DEPTH + 2
    if (!isTooDeep && !passed) continue
    wrong(parser.offset, [], passed ? `more than ${passed.most} ${passed.of} are too many` : TOO_DEEP)
    return undefined
  }
  for (const token of parser.end()) tokens.push(token)
  // A %YAML directive must not change how values are read.
  const options = { schema: 'core', stringKeys: true, uniqueKeys: false } as const
  const [document, second] = new Composer(options).compose(tokens, true, text.length)
  const errors = (document?.errors ?? []).map(({ pos, message }) => ({ offset: pos[0], message }))
  if (second) errors.push({ offset: second.range[0], message: 'multiple documents' })
  for (const { offset, message } of slips(errors, text, lines)) wrong(offset, [], message)
  return errors.length === 0 ? document : undefined
}

interface Slip {
  offset: number
  message: string
}

/** The parser's messages, and what they mean to who wrote the text. After one of these, all depths are wrong. */
const MISPLACED: [RegExp, string][] = [
  [/same column|without - |block sequence may/, 'is not indented like the lines it belongs to'],
  [/compact.*single line/, 'the next line is indented further: align the two, or put the text in quotes'],
  [/single line/, 'is not "key: value": the colon, or the space after it, is missing'],
  [/sufficiently indented/, 'a bracket before this is not closed'],
]

const SLIPS: [RegExp, string][] = [
  [/compact/, 'has a colon and a space in it, as a key has: put the text in quotes'],
  [/node end/, 'follows a quote, bracket or alias that has ended: put all of the text in quotes'],
  [/cannot start/, 'text cannot begin with this character: put it in quotes'],
  [/Missing closing/, 'this quote is not closed'],
  [/Not a YAML token/, 'the text after > or | begins on the next line'],
  [/block-seq-ind/, 'a list begins on a line below its key; a text that begins with a dash goes in quotes'],
  [/multiple documents/, 'a second YAML document begins here; a seed file holds one'],
  [/all keys must be strings/, 'has a key that is not text, as JSON keys are'],
]

/** The syntax errors in plain words: one a line, up to a misplaced line. */
function slips(errors: Slip[], text: string, lines: LineCounter): Slip[] {
  const messages = new Map<number, string>()
  for (const { offset, message } of errors) messages.set(offset, `${messages.get(offset) ?? ''} ${message}`)
  const found = new Map<number, Slip>()
  for (const [at, error] of [...messages].sort(([a], [b]) => a - b)) {
    const [misplaced, slip] = [MISPLACED, SLIPS].map(list => list.find(([known]) => known.test(error))?.[1])
    const [, quote] = /closing (.)quote/.exec(error) ?? []
    const offset = quote ? text.lastIndexOf(quote) : at
    const { line } = lines.linePos(offset)
    const before = text.slice(lines.lineStarts[line - 1], offset + 1)
    // It makes further errors, which go when it goes.
    if (/^ *\t/.test(before)) return [{ offset, message: 'a tab is not indentation: YAML takes spaces' }]
    if (!found.has(line)) found.set(line, { offset, message: misplaced ?? slip ?? error.trim() })
    if (misplaced) break
  }
  return [...found.values()]
}

/** The lines as editors count them: the parser's own counter misses some in texts that are not YAML. */
function lineCounterOf(text: string): LineCounter {
  const lines = new LineCounter()
  lines.addNewLine(0)
  for (const { index } of text.matchAll(/\n/g)) lines.addNewLine(index + 1)
  return lines
}
