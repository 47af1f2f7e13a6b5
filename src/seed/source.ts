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
