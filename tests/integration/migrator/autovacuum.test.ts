import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/postgres-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer } from '../../../src/local/server.ts'
import { migrate } from '../../../src/migrate.ts'
import { eventually } from '../../support/eventually.ts'
import { folderOf } from '../../support/folder.ts'
import { removeServer, SCRATCH_SETTINGS } from '../../support/server.ts'
import { connect } from '../../support/templates.ts'

/** A server of its own: how often autovacuum looks around is a setting of the whole server. */
let directory: string
let adminUrl: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), `agents-db-vacuum-${process.pid}-`))
  const settings = { ...SCRATCH_SETTINGS, autovacuum: 'on', autovacuum_naptime: '1s', track_counts: 'on' }
  adminUrl = (await startServer({ directory, port: 0, settings })).adminUrl
})
afterAll(() => removeServer(directory))

test('an autovacuum that would take hours gives way to a migration', async () => {
  const folder = await folderOf({
    '20260101000000_change_things': { 'migration.sql': 'alter table things add column more text;' },
  })
  const sql = connect(adminUrl)
  try {
    // A page in a tenth of a second.
    await sql`create table public.things with (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0,
                                               autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1) as
              select n as id, repeat('x', 1000) as text from generate_series(1, 20000) n`
    await sql`delete from public.things where id % 2 = 0`
    const vacuuming = () =>
      sql`select pid from pg_stat_progress_vacuum where relid = 'public.things'::regclass`
    await eventually(vacuuming).toHaveLength(1)

    const waits: string[] = []
    const report = await migrate(drizzle({ client: sql }), {
      folder,
      onWait: ({ message }) => waits.push(message),
    })
    expect(report.applied).toHaveLength(1)
    expect(waits.length).toBeGreaterThan(0)
  } finally {
    await sql.end()
  }
})
