import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { packagedMigrations } from '../src/migrate.ts'
import * as schema from '../src/schema.ts'
import { benchmarksAsSvg, readFigures } from './diagrams/benchmarks.ts'
import { phasesAsMermaid, phasesAsSvg, readPhases } from './diagrams/phases.ts'
import { readTables, tablesAsMermaid, tablesAsSvg } from './diagrams/tables.ts'

/*
 * Draws the tables, from the tables, and the phases of the migrations, from their folders: into README.md between their
 * markers, and as pictures into docs/. And the figures of docs/benchmarks.md. With `--check` nothing is written, and
 * what is not as it would be drawn fails.
 */
const check = process.argv.includes('--check')
const stale: string[] = []

const tables = readTables(schema)
const folders = readdirSync(packagedMigrations(), { withFileTypes: true }).filter(entry =>
  entry.isDirectory(),
)
const phases = readPhases(folders.map(({ name }) => name))

settle('README.md', readme => {
  const withTables = between(readme, 'tables', inReadme(tablesAsMermaid(tables), 'docs/tables.svg'))
  return between(withTables, 'phases', inReadme(phasesAsMermaid(phases), 'docs/phases.svg'))
})
settle('docs/tables.svg', () => tablesAsSvg(tables))
settle('docs/phases.svg', () => phasesAsSvg(phases))
settle('docs/benchmarks.svg', () => benchmarksAsSvg(readFigures(readFileSync('docs/benchmarks.md', 'utf8'))))
if (stale.length > 0) {
  console.error(`not as they would be drawn; \`pnpm diagrams\` draws them:\n${stale.join('\n')}`)
  process.exitCode = 1
}

function settle(file: string, draw: (current: string) => string): void {
  const current = existsSync(file) ? readFileSync(file, 'utf8').replaceAll('\r\n', '\n') : ''
  const drawn = draw(current)
  if (drawn === current) return
  if (check) {
    stale.push(file)
    return
  }
  mkdirSync('docs', { recursive: true })
  writeFileSync(file, drawn)
  console.log(`drew ${file}`)
}

function inReadme(mermaid: string, picture: string): string {
  return `\n\`\`\`mermaid\n${mermaid}\n\`\`\`\n\nThe same as a picture: [${picture}](${picture}).\n`
}

/** Puts a text between two markers, which have to be there. */
function between(text: string, name: string, inner: string): string {
  const [begin, end] = [`<!-- ${name}:begin -->\n`, `<!-- ${name}:end -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`README.md: no place between ${begin.trim()} and ${end}`)
  return text.slice(0, from + begin.length) + inner + text.slice(to)
}
