import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import postgres from 'postgres'
import { parseDocument, stringify } from 'yaml'
import { columns } from '../src/cli/output.ts'
import { createDatabase } from '../src/database.ts'
import { startServer } from '../src/local/server.ts'
import { migrate } from '../src/migrations/index.ts'
import { readSeedFiles, seed } from '../src/seed/index.ts'
import { removeServer } from '../tests/support/server.ts'

/*
 * How long a seed of many agents takes, first and unchanged, beside the least there is to do: reading the same YAML,
 * and a bare `insert … on conflict` of the same rows in one transaction.
 */
const { values } = parseArgs({
  options: {
    models: { type: 'string', default: '100' },
    agents: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '5' },
    help: { type: 'boolean' },
  },
})
if (values.help) {
  console.log('usage: pnpm bench seed [--models=100] [--agents=10000] [--rounds=5]')
  process.exit()
}

const directory = await mkdtemp(join(tmpdir(), 'agents-db-bench-'))
const files = { llms: join(directory, 'llms.yaml'), agents: join(directory, 'system_agents.yaml') }
const server = await startServer({ directory: join(directory, 'data'), port: 0 })
const db = createDatabase(server.url, { max: 2 })
const admin = postgres(server.adminUrl, { onnotice: () => {}, max: 1 })
try {
  await migrate(db)
  const text = await writeFiles()
  const documents = await readSeedFiles(files)
  const times: Record<string, number[]> = {}
  for (let round = 0; round <= Number(values.rounds); round++) {
    const measure = async (name: string, work: () => unknown) => {
      const started = performance.now()
      await work()
      // The first round warms up.
      if (round > 0) times[name] = [...(times[name] ?? []), performance.now() - started]
    }
    await admin`truncate public.llms, public.system_agents cascade`
    await measure('bare insert, first', () => insert(documents))
    await measure('bare insert, again', () => insert(documents))
    await admin`truncate public.llms, public.system_agents cascade`
    await measure('seed, first', () => seed(db, files))
    await measure('seed, unchanged', () => seed(db, files))
    await measure('reading the files alone', () => readSeedFiles(files))
    await measure('the YAML library alone', () => parseDocument(text))
  }
  report(times, text.length)
} finally {
  await Promise.all([db.$client.end(), admin.end()])
  await removeServer(join(directory, 'data'))
  await rm(directory, { recursive: true, force: true })
}

/** Agents as they are in practice: a prompt of a few lines and some numbers. Gives the text of their file. */
async function writeFiles(): Promise<string> {
  const llms = Array.from({ length: Number(values.models) }, (_, i) => ({
    model_code: `model-${i}`,
    provider: 'provider',
    display_name: `Model ${i}`,
    status: 'active',
    config: { context_window: 200_000, max_output_tokens: 64_000, input: ['text', 'image'], tools: true },
  }))
  const agents = Array.from({ length: Number(values.agents) }, (_, i) => ({
    agent_type: `AGENT_${i}`,
    llm_model_code: `model-${i % llms.length}`,
    status: 'active',
    config: {
      temperature: 0.2,
      max_tokens: 16_000,
      prompt: `You are agent ${i}.\nAnswer in the language of the question.\nSay what you do not know.\n`,
    },
  }))
  const text = stringify({ agents })
  await Promise.all([writeFile(files.llms, stringify({ llms })), writeFile(files.agents, text)])
  return text
}

async function insert({ models, agents }: Awaited<ReturnType<typeof readSeedFiles>>): Promise<void> {
  await admin.begin(async tx => {
    await tx`
      insert into public.llms (model_code, provider, display_name, status, config)
      select model_code, provider, display_name, status, config
        from jsonb_to_recordset(${JSON.stringify(models)}::text::jsonb)
             as r (model_code text, provider text, display_name text, status text, config jsonb)
          on conflict (model_code) do update
         set provider = excluded.provider, display_name = excluded.display_name, status = excluded.status,
             config = excluded.config`
    await tx`
      insert into public.system_agents (agent_type, llm_id, status, config)
      select r.agent_type, m.id, r.status, r.config
        from jsonb_to_recordset(${JSON.stringify(agents)}::text::jsonb)
             as r (agent_type text, llm_model_code text, status text, config jsonb)
        join public.llms m on m.model_code = r.llm_model_code
          on conflict (agent_type) do update
         set llm_id = excluded.llm_id, status = excluded.status, config = excluded.config`
  })
}

function report(times: Record<string, number[]>, characters: number): void {
  const median = (name: string) => times[name]?.toSorted((a, b) => a - b).at(times[name].length >> 1) ?? 0
  const floor = median('bare insert, first')
  const rows = Object.keys(times).map(name => [
    name,
    `${Math.round(median(name))} ms`,
    `${Math.round(Math.min(...(times[name] ?? [])))} ms`,
    `${Math.round(Math.max(...(times[name] ?? [])))} ms`,
    `${(median(name) / floor).toFixed(1)} x`,
  ])
  const megabytes = (characters / 1e6).toFixed(1)
  console.log(`${values.models} models, ${values.agents} agents (${megabytes} MB), ${values.rounds} rounds`)
  for (const line of columns([['', 'median', 'fastest', 'slowest', 'beside the first'], ...rows]))
    console.log(line)
}
