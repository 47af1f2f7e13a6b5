import { isUtf8 } from 'node:buffer'
import { readFile } from 'node:fs/promises'
import { LineCounter } from 'yaml'
import type { Mistake } from './mistake.ts'

/** The text of a seed file, and what has been found wrong in it so far. */
export type Source = {
  file: string
  text: string
  mistakes: Mistake[]
  report(offset: number, path: readonly PropertyKey[], message: string): void
  locate(offset: number, path: readonly PropertyKey[], message: string): Mistake
  lineOf(offset: number): number
}

/** The most bytes that a file may have: some hundred times what people write. */
const MAX_SIZE = 5 * 1024 * 1024
const SHOWN = 160

/** Makes positions out of offsets for a text. */
export function createSource(file: string, text: string): Source {
  const lines = new LineCounter()
  lines.addNewLine(0)
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines.addNewLine(at + 1)
  const mistakes: Mistake[] = []
  const position = (offset: number) => lines.linePos(Math.min(Math.max(offset, 0), text.length))

  function locate(offset: number, path: readonly PropertyKey[], message: string): Mistake {
    const { line, col: column } = position(offset)
    const start = lines.lineStarts[line - 1] ?? 0
    const end = (lines.lineStarts[line] ?? text.length + 1) - 1
    // A prompt may be one line of a megabyte: show the part that matters.
    const skipped = column > SHOWN ? column - 1 - SHOWN / 2 : 0
    const source = text.slice(start + skipped, Math.min(end, start + skipped + SHOWN)).trimEnd()
    return { file, line, column, path: formatPath(path), message, source, caret: column - 1 - skipped }
  }

  return {
    file,
    text,
    mistakes,
    locate,
    report: (offset, path, message) => void mistakes.push(locate(offset, path, message)),
    lineOf: offset => position(offset).line,
  }
}

/** The text of a file, or an empty one with the reason for which it cannot be read. */
export async function readSource(file: string): Promise<Source> {
  let bytes: Buffer
  try {
    bytes = await readFile(file)
  } catch (error) {
    return unreadable(file, reason(error))
  }
  if (bytes.length > MAX_SIZE) return unreadable(file, 'the file is larger than 5 MB')
  const text = bytes.toString('utf8')
  if (isUtf8(bytes)) return createSource(file, text.replace(/^\uFEFF/, ''))
  const source = createSource(file, text)
  const encoded = Buffer.from(text)
  const wrong = bytes.findIndex((byte, index) => byte !== encoded[index])
  source.report(bytes.toString('utf8', 0, wrong).length, [], 'is not UTF-8 text')
  return source
}

function unreadable(file: string, message: string): Source {
  const source = createSource(file, '')
  source.mistakes.push({ file, path: '', message })
  return source
}

function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'the file does not exist'
  if (code === 'EISDIR') return 'it is a directory, not a file'
  if (code === 'EACCES' || code === 'EPERM') return 'the file may not be read: permission denied'
  return `the file cannot be read: ${error instanceof Error ? error.message : error}`
}

/** `agents[0].config["top k"]`: how a value is named in a mistake. */
function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`
      const key = String(step)
      if (!/^[\w-]+$/.test(key)) return `[${JSON.stringify(key)}]`
      return index === 0 ? key : `.${key}`
    })
    .join('')
}
