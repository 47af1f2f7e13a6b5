import { is } from 'drizzle-orm'
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import { drawing, path, rect, text, widthOf } from './svg.ts'

interface Column {
  name: string
  type: string
  keys: ('PK' | 'FK' | 'UK')[]
  nullable: boolean
  /** The values it takes, where they are few. */
  values: readonly string[]
}

interface Reference {
  name: string
  columns: string[]
  to: string
  toColumns: string[]
  onDelete: string
  /** Whether a row has one at most to refer to it; and whether it may refer to none. */
  unique: boolean
  optional: boolean
}

interface Table {
  name: string
  /** Referred to, but somebody else's: only the columns that are referred to. */
  foreign: boolean
  columns: Column[]
  references: Reference[]
}

/** The tables among a module's exports, and those they refer to. */
export function readTables(exports: object): Table[] {
  const own = Object.values(exports).filter(value => is(value, PgTable))
  const tables = own.map(toTable)
  const referredTo = own.flatMap(table => getTableConfig(table).foreignKeys.map(key => key.reference()))
  for (const { foreignTable, foreignColumns } of referredTo) {
    if (own.includes(foreignTable)) continue
    const name = nameOf(foreignTable)
    const known = tables.find(table => table.name === name)
    const table = known ?? { name, foreign: true, columns: [], references: [] }
    if (!known) tables.push(table)
    for (const column of foreignColumns) {
      if (!table.columns.some(({ name }) => name === column.name)) {
        table.columns.push(toColumn(column, column.primary ? ['PK'] : ['UK']))
      }
    }
  }
  return tables
}

function toTable(table: PgTable): Table {
  const { columns, primaryKeys, uniqueConstraints, foreignKeys } = getTableConfig(table)
  const inherent = columns.filter(column => column.primary).map(({ name }) => name)
  const primary = primaryKeys[0]?.columns.map(({ name }) => name) ?? inherent
  const unique = [
    ...uniqueConstraints.map(({ columns }) => columns.map(column => ('name' in column ? column.name : ''))),
    ...columns.filter(({ isUnique }) => isUnique).map(({ name }) => [name]),
  ]
  const references = foreignKeys.map(key => {
    const { columns, foreignTable, foreignColumns } = key.reference()
    const names = columns.map(({ name }) => name)
    return {
      name: key.getName(),
      columns: names,
      to: nameOf(foreignTable),
      toColumns: foreignColumns.map(({ name }) => name),
      onDelete: key.onDelete ?? 'no action',
      unique: [primary, ...unique].some(set => set.length > 0 && set.every(name => names.includes(name))),
      optional: columns.some(({ notNull }) => !notNull),
    }
  })
  const keysOf = (name: string) => [
    ...(primary.includes(name) ? ['PK' as const] : []),
    ...(references.some(({ columns }) => columns.includes(name)) ? ['FK' as const] : []),
    ...(unique.some(set => set.length === 1 && set[0] === name) ? ['UK' as const] : []),
  ]
  return {
    name: nameOf(table),
    foreign: false,
    columns: columns.map(column => toColumn(column, keysOf(column.name))),
    references,
  }
}

function toColumn(
  column: ReturnType<typeof getTableConfig>['columns'][number],
  keys: Column['keys'],
): Column {
  return {
    name: column.name,
    type: column.getSQLType().replace('timestamp with time zone', 'timestamptz'),
    keys,
    nullable: !column.notNull && !keys.includes('PK'),
    values: column.enumValues ?? [],
  }
}

function nameOf(table: PgTable): string {
  const { schema, name } = getTableConfig(table)
  return schema ? `${schema}.${name}` : name
}

/** As Mermaid's entity diagram. */
export function tablesAsMermaid(tables: Table[]): string {
  const lines = ['erDiagram']
  for (const { name, columns } of tables) {
    lines.push(`  ${quoted(name)} {`)
    for (const { type, name, keys, nullable, values } of columns) {
      const comment = values.length > 0 ? values.join(', ') : nullable ? 'null' : ''
      const words = [type.replaceAll(' ', '_'), name, keys.join(', '), comment && `"${comment}"`]
      lines.push(`    ${words.filter(Boolean).join(' ')}`)
    }
    lines.push('  }')
  }
  for (const { name, references } of tables) {
    for (const { to, columns, onDelete, unique, optional } of references) {
      const ends = `${optional ? '|o' : '||'}--${unique ? 'o|' : 'o{'}`
      lines.push(`  ${quoted(to)} ${ends} ${quoted(name)} : "${columns.join(', ')}, on delete ${onDelete}"`)
    }
  }
  return lines.join('\n')
}

const quoted = (name: string) => (/^\w+$/.test(name) ? name : `"${name}"`)

const ROW = 22
const PADDING = 12
const MARGIN = 24
/** Between two boxes of a layer, and between two layers beside what is written there. */
const GAP = 28
const LANE = 16

interface Box {
  table: Table
  x: number
  y: number
  width: number
  height: number
}

/** What is referred to stands left of what refers to it; arrows run from a foreign key to what it refers to. */
export function tablesAsSvg(tables: Table[]): string {
  const { boxes, lanes } = layOut(tables)
  const right = Math.max(...boxes.map(({ x, width }) => x + width))
  const bottom = Math.max(...boxes.map(({ y, height }) => y + height))
  const arrows = boxes.flatMap(from =>
    from.table.references.flatMap(reference => {
      const to = boxes.find(({ table }) => table.name === reference.to)
      return to ? drawArrow(from, to, reference, lanes) : []
    }),
  )
  const size = { width: right + MARGIN, height: bottom + MARGIN + ROW }
  const legend = 'PK primary key, FK foreign key, UK unique, ? may be null; dashed: not of this package'
  return drawing('The tables and their foreign keys', size, [
    ...arrows,
    ...boxes.flatMap(drawBox),
    text(MARGIN, size.height - MARGIN / 2, legend, 'small muted'),
  ])
}

function layOut(tables: Table[]): { boxes: Box[]; lanes: Map<string, number> } {
  const layers: Table[][] = []
  for (const table of tables) {
    const depth = depthOf(table, tables)
    layers[depth] = [...(layers[depth] ?? []), table]
  }
  const boxes: Box[] = []
  const lanes = new Map<string, number>()
  let x = MARGIN
  for (const [depth, layer] of layers.entries()) {
    const order = (table: Table) => layers[depth - 1]?.findIndex(t => refers(table, t)) ?? 0
    const sorted = depth === 0 ? layer : layer.toSorted((a, b) => order(a) - order(b))
    const widest = Math.max(...layer.map(widthOfBox))
    let y = MARGIN
    for (const table of sorted) {
      const height = ROW * (table.columns.length + 1) + PADDING
      const width = widthOfBox(table)
      // To the right but in the last layer, so that arrows are short.
      boxes.push({ table, x: depth < layers.length - 1 ? x + widest - width : x, y, width, height })
      y += height + GAP
    }
    const referredTo = layer.filter(table => tables.some(other => refers(other, table)))
    for (const [i, { name }] of referredTo.entries()) lanes.set(name, LANE * (i + 1))
    const labels = (layers[depth + 1] ?? []).flatMap(({ references }) => references.map(labelOf))
    const gutter = LANE * (referredTo.length + 2) + Math.max(0, ...labels.map(label => widthOf(label, 11)))
    x += widest + gutter
  }
  for (const [depth, layer] of [...layers.entries()].reverse()) {
    if (depth < layers.length - 1) centre(boxes, layer)
  }
  return { boxes, lanes }
}

/** Moves the boxes of a layer to the height of what refers to them, as far as they leave each other room. */
function centre(boxes: Box[], layer: Table[]): void {
  let free = MARGIN
  for (const box of boxes.filter(({ table }) => layer.includes(table))) {
    const heights = boxes.flatMap(from =>
      from.table.references.filter(({ to }) => to === box.table.name).map(r => heightOf(from, r.columns)),
    )
    const wanted = heights.reduce((sum, height) => sum + height, 0) / heights.length - box.height / 2
    box.y = Math.max(free, heights.length > 0 ? Math.round(wanted) : free)
    free = box.y + box.height + GAP
  }
}

const refers = (table: Table, to: Table) =>
  table !== to && table.references.some(reference => reference.to === to.name)

function depthOf(table: Table, tables: Table[], seen: Table[] = []): number {
  const next = tables.filter(other => refers(table, other) && !seen.includes(other))
  return Math.max(0, ...next.map(other => 1 + depthOf(other, tables, [...seen, table])))
}

function widthOfBox({ name, columns }: Table): number {
  const { marks, names, types } = widthsOf(columns)
  return Math.max(widthOf(name), marks + names + types) + 2 * PADDING
}

function widthsOf(columns: Column[]) {
  const widest = (words: string[]) => Math.max(...words.map(word => widthOf(word)))
  return {
    marks: widest(columns.map(({ keys }) => keys.join(' '))) + PADDING,
    names: widest(columns.map(({ name }) => name)) + PADDING,
    types: widest(columns.map(typeOf)),
  }
}

const typeOf = ({ type, nullable }: Column) => `${type}${nullable ? ' ?' : ''}`

const labelOf = ({ onDelete }: Reference) => `on delete ${onDelete}`

/** The middle of a column's line, or of several columns' lines. */
function heightOf({ table, y }: Box, columns: string[]): number {
  const lines = columns.map(name => table.columns.findIndex(column => column.name === name) + 1.5)
  return y + Math.round((lines.reduce((sum, line) => sum + line, 0) / lines.length) * ROW) + PADDING / 2
}

function drawBox({ table, x, y, width, height }: Box): string[] {
  const { marks, names } = widthsOf(table.columns)
  const kind = table.foreign ? ' foreign' : ''
  const baseline = (line: number) => y + ROW * line + 16 + (line > 0 ? PADDING / 2 : 0)
  return [
    rect(x, y, { width, height }, `box${kind}`),
    rect(x, y, { width, height: ROW + 2 }, `bar${kind}`),
    text(x + PADDING, baseline(0), table.name, 'bold'),
    ...table.columns.flatMap((column, i) => [
      text(x + PADDING, baseline(i + 1), column.keys.join(' '), 'muted'),
      text(x + PADDING + marks, baseline(i + 1), column.name),
      text(x + PADDING + marks + names, baseline(i + 1), typeOf(column), 'muted'),
    ]),
  ]
}

function drawArrow(from: Box, to: Box, reference: Reference, lanes: Map<string, number>): string[] {
  const [y, end] = [heightOf(from, reference.columns), heightOf(to, reference.toColumns)]
  const tip = to.x + to.width
  const lane = tip + LANE + (lanes.get(to.table.name) ?? 0)
  return [
    path(`M ${from.x} ${y} H ${lane} V ${end} H ${tip + 8}`, 'line'),
    path(`M ${tip} ${end} l 10 -5 v 10 z`, 'head'),
    text(from.x - 6, y - 6, labelOf(reference), 'small muted', 'end'),
  ]
}
