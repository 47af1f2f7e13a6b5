import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { root, run, withBuiltCommand } from './command.ts'
import { readOptions } from './options.ts'
import { alternate, median, ms, print, timed } from './statistics.ts'

/*
 * What the package costs whoever imports it: how long `tsc` takes over the ten queries of types/queries.ts, on our tables
 * and on the same tables written by hand, by turns; and how long Node takes to load each entry point.
 */
const { rounds } = readOptions('types', { rounds: 15 })

/** How many times as long as on tables written by hand it may take. */
const target = 1.3

const modules = join(root, 'node_modules')
const entries = ['schema', '', 'zod', 'migrate', 'seed'].map(name => join('@agents/db', name))

await withBuiltCommand(async main => {
  const directory = await mkdtemp(join(tmpdir(), 'agents-db-types-'))
  try {
    const byHand = await project(join(directory, 'by-hand'), './tables.ts')
    await cp(join(root, 'bench/types/tables.ts'), join(byHand, 'tables.ts'))
    const ours = await project(join(directory, 'ours'), '@agents/db')
    await link(dirname(dirname(dirname(main))), ours, '@agents/db')
    const node = (cwd: string, ...args: string[]) => timed(() => run(process.execPath, args, { cwd }))

    const tsc = join(modules, 'typescript/bin/tsc')
    const checks = await alternate(
      { 'tables of @agents/db': () => node(ours, tsc), 'tables by hand': () => node(byHand, tsc) },
      rounds,
    )
    const ratio = median(checks['tables of @agents/db'] ?? []) / median(checks['tables by hand'] ?? [])
    const verdict = `${ratio.toFixed(2)} x, ${ratio <= target ? 'under' : 'OVER'} ${target}`
    print(`tsc over ten queries, ${rounds} rounds`, [...rows(checks), ['ratio', verdict]])

    const load = (module: string) => node(ours, '--input-type=module', '--eval', `import '${module}'`)
    const loads = ['drizzle-orm/pg-core', ...entries].map(module => [module, () => load(module)] as const)
    const nothing = () => node(ours, '--input-type=module', '--eval', '')
    const starts = await alternate({ 'nothing at all': nothing, ...Object.fromEntries(loads) }, rounds)
    print(`start of Node with one import, ${rounds} rounds`, rows(starts))
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})

/** A project with the ten queries, on the tables of that module. */
async function project(directory: string, tables: string): Promise<string> {
  await mkdir(directory)
  const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  for (const name of [...Object.keys(dependencies), '@types/node']) {
    await link(join(modules, name), directory, name)
  }
  const queries = await readFile(join(root, 'bench/types/queries.ts'), 'utf8')
  await writeFile(join(directory, 'queries.ts'), queries.replace("'./tables.ts'", `'${tables}'`))
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    strict: true,
    types: ['node'],
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    noEmit: true,
  }
  await writeFile(
    join(directory, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['queries.ts'] }),
  )
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }')
  return directory
}

async function link(target: string, directory: string, name: string): Promise<void> {
  const path = join(directory, 'node_modules', name)
  await mkdir(dirname(path), { recursive: true })
  await symlink(target, path)
}

function rows(times: Record<string, number[]>): string[][] {
  const heading = ['', 'median', 'fastest', 'slowest']
  const of = ([name, all]: [string, number[]]) => [
    name,
    ...[median(all), Math.min(...all), Math.max(...all)].map(ms),
  ]
  return [heading, ...Object.entries(times).map(of)]
}
