import { readFileSync, writeFileSync } from 'node:fs'
import { type ExportedDeclarations, Node, Project, type SourceFile } from 'ts-morph'

// Writes docs/api.md from the docstrings of what the package exports. With `--check` it writes nothing, and exits with 1 if
// the page is out of date.

const entries: [name: string, file: string, about: string][] = [
  [
    '@agents/db/schema',
    'schema.ts',
    'The tables, and the types of their rows. `@agents/db` exports them too.',
  ],
  ['@agents/db', 'index.ts', 'What a backend asks.'],
  ['@agents/db/zod', 'zod.ts', 'Validators made from the tables.'],
  ['@agents/db/migrate', 'migrate.ts', 'What the commands do with migrations, for code.'],
  ['@agents/db/seed', 'seed.ts', 'What `agents-db seed` does, for code.'],
  ['@agents/db/testing', 'testing.ts', 'Databases for tests.'],
]

const project = new Project({ tsConfigFilePath: 'tsconfig.json', skipAddingFilesFromTsConfig: true })
const seen = new Set<string>()
const sections = entries.map(([name, file, about]) => {
  const source = project.addSourceFileAtPath(`src/${file}`)
  return [`## ${name}`, about, ...declarationsOf(source).map(([name, node]) => describe(name, node))].join(
    '\n\n',
  )
})
const intro = `# The library

Every export, with its docstring. Functions take a Drizzle database, on postgres.js, node-postgres or PGlite. [In a backend](backend.md)
shows how they go together. \`pnpm api\` writes this page.`
const page = `${[intro, ...sections].join('\n\n')}\n`
if (!process.argv.includes('--check')) writeFileSync('docs/api.md', page)
else if (readFileSync('docs/api.md', 'utf8') !== page) {
  console.error('docs/api.md is out of date. Run `pnpm api`.')
  process.exitCode = 1
}

/** What a file exports and none before it did: functions first, by name. */
function declarationsOf(source: SourceFile): [string, ExportedDeclarations][] {
  const found = [...source.getExportedDeclarations()].flatMap(
    ([name, [node]]): [string, ExportedDeclarations][] => (node && !seen.has(name) ? [[name, node]] : []),
  )
  for (const [name] of found) seen.add(name)
  const isFunction = ([, node]: [string, Node]) => Number(Node.isFunctionDeclaration(node))
  return found.sort((a, b) => isFunction(b) - isFunction(a) || a[0].localeCompare(b[0]))
}

function describe(name: string, node: ExportedDeclarations): string {
  const documented = Node.isVariableDeclaration(node) ? node.getVariableStatement() : node
  const docs = Node.isJSDocable(documented) ? documented.getJsDocs() : []
  const text = docs.map(doc => textOf(doc.getInnerText())).join('\n\n')
  return [`### ${name}`, ...(text ? [text] : []), `\`\`\`ts\n${signatureOf(name, node)}\n\`\`\``].join('\n\n')
}

/** A docstring as Markdown: its tags become a list. */
function textOf(doc: string): string {
  return doc
    .replace(/^@throws /gm, '- Throws ')
    .replace(/^@returns /gm, '- Returns ')
    .replace(/^@param (\w+) /gm, '- `$1`: ')
}

function signatureOf(name: string, node: ExportedDeclarations): string {
  if (Node.isFunctionDeclaration(node)) {
    const body = node.getBody()
    const text = body ? node.getText().slice(0, -body.getText().length) : node.getText()
    return text.replace(/^export (async )?/, '').trim()
  }
  // Tables are long, and their columns are in `src/schema`.
  if (Node.isVariableDeclaration(node)) return `const ${node.getText().length < 100 ? node.getText() : name}`
  return node.getText().replace(/^export /, '')
}
