import type { Node, ParseResult } from 'libpg-query'
import { MigrationError } from './error.ts'
import { firstLine, newlines, type Script, type Statement } from './files.ts'

type Statements = ParseResult['stmts'] & object

/** Each statement is asked about several times, and reading it takes a moment. */
const parsed = new Map<string, Promise<Statements>>()

function parse(sql: string): Promise<Statements> {
  const statements = parsed.get(sql) ?? parseOnce(sql)
  parsed.set(sql, statements)
  return statements
}

/** PostgreSQL's own parser. Loaded when there is SQL to read: it takes a moment. */
async function parseOnce(sql: string): Promise<Statements> {
  const { parse } = await import('libpg-query')
  // A statement that it does not know is PostgreSQL's to accept or to refuse.
  const result = await parse(sql).catch(() => undefined)
  return result?.stmts ?? []
}

/**
 * Refuses scripts that would end the transaction they run in, and with it the promise of all or nothing.
 *
 * @throws MigrationError `TRANSACTION_CONTROL`
 */
export async function refuseTransactionControl(script: Script): Promise<void> {
  for (const statement of script.statements) {
    for (const { stmt, stmt_location: offset = 0 } of await parse(statement.sql)) {
      const kind = stmt && 'TransactionStmt' in stmt ? (stmt.TransactionStmt.kind ?? '') : ''
      if (kind === '' || /SAVEPOINT|_RELEASE|_ROLLBACK_TO/.test(kind)) continue
      const word = kind.replace('TRANS_STMT_', '').split('_')[0]
      const online = script.file === 'migration.sql' ? 'online.sql' : 'down.online.sql'
      throw new MigrationError(
        'TRANSACTION_CONTROL',
        `${script.path}, line ${lineAt(statement, offset)}: ${word} is not allowed, because the whole file runs in one transaction. Remove it; what must run outside a transaction belongs in ${online}. Nothing was run.`,
      )
    }
  }
}

/** The parser counts bytes, from 0. */
function lineAt(statement: Statement, offset: number): number {
  return firstLine(statement) + newlines(Buffer.from(statement.sql).toString('utf8', 0, offset))
}

/** Whether a statement commits by itself, so that it cannot run in a transaction. */
export async function commitsByItself({ sql }: Statement): Promise<boolean> {
  return (await parse(sql)).some(({ stmt }) => {
    if (!stmt) return false
    if ('IndexStmt' in stmt) return stmt.IndexStmt.concurrent === true
    if ('DropStmt' in stmt) return stmt.DropStmt.concurrent === true
    if ('DoStmt' in stmt) return /\bcommit\b/i.test(sql.replace(/--.*/g, ''))
    return 'ReindexStmt' in stmt || 'VacuumStmt' in stmt || 'CallStmt' in stmt
  })
}

/** The index that a statement builds concurrently, and on which table, if it does. */
export async function indexedConcurrently({
  sql,
}: Statement): Promise<{ index: string | undefined; table: string } | undefined> {
  for (const { stmt } of await parse(sql)) {
    if (!stmt || !('IndexStmt' in stmt) || !stmt.IndexStmt.concurrent) continue
    const { schemaname = 'public', relname } = stmt.IndexStmt.relation ?? {}
    const { idxname } = stmt.IndexStmt
    return { index: idxname && `${schemaname}.${idxname}`, table: `${schemaname}.${relname}` }
  }
  return undefined
}

/** Something that a script drops, or renames. */
export interface Dropped {
  kind: 'table' | 'renamed table' | 'view' | 'index' | 'function' | 'column' | 'constraint'
  schema: string
  name: string
  /** Of a column or a constraint, whose table has `name`. */
  sub?: string | undefined
  /** Whether what depends on it is dropped too. */
  cascade: boolean
}

const kinds: Record<string, Dropped['kind']> = {
  OBJECT_TABLE: 'table',
  OBJECT_VIEW: 'view',
  OBJECT_INDEX: 'index',
  OBJECT_FUNCTION: 'function',
  AT_DropColumn: 'column',
  AT_DropConstraint: 'constraint',
}

/** What the statements of a script drop or rename; not what their functions and blocks do. */
export async function findDropped(script: Script): Promise<Dropped[]> {
  const found: Dropped[] = []
  for (const statement of script.statements) {
    for (const { stmt } of await parse(statement.sql)) {
      if (!stmt) continue
      if ('DropStmt' in stmt) {
        const { objects = [], removeType = '', behavior } = stmt.DropStmt
        const kind = kinds[removeType]
        for (const object of kind ? objects : []) {
          const [name = '', schema = 'public'] = partsOf(object).reverse()
          if (kind) found.push({ kind, schema, name, cascade: behavior === 'DROP_CASCADE' })
        }
      }
      if ('AlterTableStmt' in stmt) {
        const { relation, cmds = [] } = stmt.AlterTableStmt
        for (const cmd of cmds) {
          const { subtype = '', name: sub, behavior } = 'AlterTableCmd' in cmd ? cmd.AlterTableCmd : {}
          const kind = kinds[subtype]
          const { schemaname: schema = 'public', relname: name = '' } = relation ?? {}
          if (kind) found.push({ kind, schema, name, sub, cascade: behavior === 'DROP_CASCADE' })
        }
      }
      if ('RenameStmt' in stmt) {
        const { renameType, relation, subname: sub } = stmt.RenameStmt
        const { schemaname: schema = 'public', relname: name = '' } = relation ?? {}
        if (renameType === 'OBJECT_TABLE') found.push({ kind: 'renamed table', schema, name, cascade: false })
        if (renameType === 'OBJECT_COLUMN') found.push({ kind: 'column', schema, name, sub, cascade: true })
      }
    }
  }
  return found
}

/** The parts of a name, the schema first. */
function partsOf(object: Node): string[] {
  const names =
    'List' in object ? object.List.items : 'ObjectWithArgs' in object ? object.ObjectWithArgs.objname : []
  return (names ?? []).flatMap(part => ('String' in part && part.String.sval ? [part.String.sval] : []))
}
