import { Composer, type Document, Lexer, Parser } from 'yaml'
import type { Source } from './source.ts'

/** How deep values may nest: far more than a setting needs, far less than what fells a recursive reader. */
export const MAX_DEPTH = 100

/**
 * The one YAML document of a text, or nothing when it has syntax errors, which are all reported. Depth is bounded
 * while the text is tokenised: composing deep nesting can end the process, which no `catch` would stop.
 */
export function composeYaml({ text, report }: Source): Document.Parsed | undefined {
  const parser = new Parser()
  const tokens = []
  const starts: number[] = []
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token)
    if (parser.stack.length > MAX_DEPTH + 2) {
      report(parser.offset, [], `is nested more than ${MAX_DEPTH} deep`)
      return undefined
    }
  }
  for (const token of parser.end()) tokens.push(token)
  for (const token of tokens) if (token.type === 'document') starts.push(token.offset)

  // Duplicate keys are looked for later, when keys are known as JSON will know them.
  const composer = new Composer({
    intAsBigInt: true,
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: 'silent',
  })
  const documents = [...composer.compose(tokens, true, text.length)]
  const errors = documents.flatMap(document => document.errors)
  // A tab makes a dozen further errors, which go when it goes.
  const tab = errors.find(({ code, pos }) => code === 'TAB_AS_INDENT' || beginsWithTab(text, pos[0]))
  if (tab) {
    report(tab.pos[0], [], 'a tab is no indentation: YAML takes spaces')
    return undefined
  }
  const warnings = documents.flatMap(document => document.warnings)
  // An unresolved tag is reported with its path when the value is read.
  const heard = errors.length > 0 ? warnings : warnings.filter(({ code }) => code !== 'TAG_RESOLVE_FAILED')
  for (const { pos, message } of [...errors, ...heard]) report(pos[0], [], message)
  const second = starts[1]
  if (second !== undefined) report(second, [], 'a second YAML document begins here; a seed file holds one')
  return errors.length === 0 && second === undefined ? documents[0] : undefined
}

function beginsWithTab(text: string, offset: number): boolean {
  return /^ *\t/.test(text.slice(text.lastIndexOf('\n', offset - 1) + 1))
}
