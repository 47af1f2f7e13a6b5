import postgres from 'postgres'

/** Who migrates in the tests. Never a superuser, and not the owner of `auth`, as on Supabase. */
export const DEPLOYER = { role: 'agents_deployer', password: 'agents_deployer' }

export interface TestUrls {
  /** As the deployer. */
  url: string
  /** As superuser. */
  adminUrl: string
}

/** The server of this run, and what its databases' names begin with. */
export interface TestRun {
  serverUrl: string
  prefix: string
}

export const templateName = (run: TestRun, template: string) => `${run.prefix}template_${template}`

export function urlsOf(run: TestRun, database: string): TestUrls {
  const admin = new URL(run.serverUrl)
  admin.pathname = `/${database}`
  const deployer = new URL(admin)
  deployer.username = DEPLOYER.role
  deployer.password = DEPLOYER.password
  return { url: deployer.href, adminUrl: admin.href }
}

export function connect(url: string, options: postgres.Options<Record<string, postgres.PostgresType>> = {}) {
  return postgres(url, { max: 4, onnotice: () => {}, ...options })
}

/**
 * Makes a template that `createDatabase(name)` clones: a copy of another one (`template0`: nothing at all),
 * then prepared. No connection of `prepare` may stay open.
 */
export async function createTemplate(
  run: TestRun,
  name: string,
  from: string,
  prepare: (urls: TestUrls) => Promise<void>,
): Promise<void> {
  const database = templateName(run, name)
  await cloneDatabase(run, database, from === 'template0' ? from : templateName(run, from))
  await prepare(urlsOf(run, database))
}

export async function cloneDatabase(run: TestRun, name: string, template: string): Promise<void> {
  await onServer(run, async admin => {
    const owner = template === 'template0' ? admin`` : admin`owner ${admin(DEPLOYER.role)}`
    for (let attempt = 1; ; attempt++) {
      try {
        await admin`create database ${admin(name)} template ${admin(template)} ${owner}`
        return
      } catch (error) {
        // 55006: somebody is still connected to the template, if only a backend that is about to end.
        if (attempt === 5 || !(error instanceof postgres.PostgresError) || error.code !== '55006') throw error
      }
    }
  })
}

export async function dropDatabase(run: TestRun, name: string): Promise<void> {
  await onServer(run, admin => admin`drop database if exists ${admin(name)} with (force)`)
}

/** Drops every database of the run. */
export async function dropAll(run: TestRun): Promise<void> {
  await onServer(run, async admin => {
    const databases = await admin`select datname from pg_database where starts_with(datname, ${run.prefix})`
    for (const { datname } of databases) await admin`drop database if exists ${admin(datname)} with (force)`
  })
}

export async function onServer<T>(run: TestRun, work: (admin: postgres.Sql) => Promise<T>): Promise<T> {
  const admin = connect(run.serverUrl, { max: 1 })
  try {
    return await work(admin)
  } finally {
    await admin.end()
  }
}
