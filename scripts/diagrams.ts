import { readFileSync, writeFileSync } from 'node:fs'
import { is } from 'drizzle-orm'
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import * as schema from '../src/schema.ts'

// Draws the tables in `src/schema` as a diagram in README.md. With `--check` it writes nothing, and exits with 1 if the
// diagram is out of date.

const tables = Object.values(schema).filter(value => is(value, PgTable))
const drawing = `\n\`\`\`mermaid\n${entityDiagram(tables)}\n\`\`\`\n\n`
const readme = readFileSync('README.md', 'utf8')
const drawn = readme.replace(/(?<=<!-- tables:begin -->\n).*(?=<!-- tables:end -->)/s, () => drawing)
if (drawn !== readme && process.argv.includes('--check')) {
  console.error('README.md: the diagram of the tables is out of date. Run `pnpm diagrams`.')
  process.exitCode = 1
} else {
  writeFileSync('README.md', drawn)
}

/** Mermaid's entity diagram. Of tables that are not ours, it shows the columns that ours refer to. */
function entityDiagram(tables: PgTable[]): string {
  const references = tables.flatMap(table =>
    getTableConfig(table).foreignKeys.map(key => ({ table, ...key.reference(), onDelete: key.onDelete })),
  )
  const foreign = new Map(
    references
      .filter(({ foreignTable }) => !tables.includes(foreignTable))
      .map(key => [nameOf(key.foreignTable), key]),
  )
  return [
    'erDiagram',
    ...tables.flatMap(table =>
      box(
        nameOf(table),
        getTableConfig(table).columns.map(column => describe(table, column)),
      ),
    ),
    ...[...foreign].flatMap(([name, { foreignColumns }]) =>
      box(
        name,
        foreignColumns.map(column => `${column.getSQLType()} ${column.name} PK`),
      ),
    ),
    ...references.map(({ table, columns, foreignTable, onDelete }) => {
      // A foreign key that is also the primary key allows one row at most.
      const many = columns.every(column => column.primary) ? 'o|' : 'o{'
      const label = `${columns.map(column => column.name).join(', ')}, on delete ${onDelete}`
      return `  ${nameOf(foreignTable)} ||--${many} ${nameOf(table)} : "${label}"`
    }),
  ].join('\n')
}

function box(name: string, lines: string[]): string[] {
  return [`  ${name} {`, ...lines.map(line => `    ${line}`), '  }']
}

type Column = ReturnType<typeof getTableConfig>['columns'][number]

function describe(table: PgTable, column: Column): string {
  const { foreignKeys, primaryKeys, uniqueConstraints } = getTableConfig(table)
  const holds = (columns: object[]) => columns.some(other => 'name' in other && other.name === column.name)
  const keys = [
    (column.primary || primaryKeys.some(key => holds(key.columns))) && 'PK',
    foreignKeys.some(key => holds(key.reference().columns)) && 'FK',
    uniqueConstraints.some(key => holds(key.columns)) && 'UK',
  ].filter(Boolean)
  const values = column.enumValues?.join(', ') ?? (column.notNull ? '' : 'null')
  const type = column.getSQLType().replace('timestamp with time zone', 'timestamptz').replaceAll(' ', '_')
  return [type, column.name, keys.join(', '), values && `"${values}"`].filter(Boolean).join(' ')
}

function nameOf(table: PgTable): string {
  const { schema, name } = getTableConfig(table)
  return schema ? `"${schema}.${name}"` : name
}
