import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseDocument, stringify } from 'yaml'
import { createDatabase } from '../src/database.ts'
import { readSeedFiles, seed } from '../src/seed.ts'
import { alternate, type Options, ratio, tableOf } from './measure.ts'
import { migrateTo, using, withScratch } from './scratch.ts'

const counts = { models: 100, agents: 10_000 }

/** How long a seed of many agents takes, first and unchanged, compared with a plain `insert … on conflict`. */
export default async function measureSeed({ rounds = 5, ...options }: Options) {
  const directory = await mkdtemp(join(tmpdir(), 'agents-db-bench-'))
  const files = { llms: join(directory, 'llms.yaml'), agents: join(directory, 'system_agents.yaml') }
  return await withScratch(options, async ({ clone, urlOf }) => {
    await clone('seeded')
    await migrateTo(urlOf('seeded'))
    const db = createDatabase(urlOf('seeded'), { max: 2 })
    const text = yamlOfAgents()
    await Promise.all([writeFile(files.llms, yamlOfModels()), writeFile(files.agents, text)])
    const documents = await readSeedFiles(files)
    const empty = () =>
      using(urlOf('seeded', 'superuser'), sql => sql`truncate public.llms, public.system_agents cascade`)
    const first = await alternate(
      {
        'bare insert, first': () => insert(urlOf('seeded'), documents),
        'seed, first': () => seed(db, files),
      },
      rounds,
      { before: empty },
    )
    const again = await alternate(
      {
        'bare insert, again': () => insert(urlOf('seeded'), documents),
        'seed, unchanged': () => seed(db, files),
        'reading the files alone': () => readSeedFiles(files),
        'the YAML library alone': () => parseDocument(text),
      },
      rounds,
    )
    const size = `${(text.length / 1e6).toFixed(1)} MB`
    await db.$client.end()
    const times = { ...first, ...again }
    const goal = (what: string, limit: number) => ({
      what: `${what} beside the YAML library alone`,
      found: ratio(times, what, 'the YAML library alone'),
      limit,
      unit: 'x' as const,
    })
    const title = `${counts.models} models, ${counts.agents} agents (${size}), ${rounds} rounds`
    const goals = [goal('seed, unchanged', 1.2), goal('seed, first', 1.5)]
    return [{ title, table: tableOf(times), goals }]
  }).finally(() => rm(directory, { recursive: true }))
}

function yamlOfModels(): string {
  const llms = Array.from({ length: counts.models }, (_, i) => ({
    model_code: `model-${i}`,
    provider: 'provider',
    display_name: `Model ${i}`,
    status: 'active',
    config: { context_window: 200_000, max_output_tokens: 64_000, input: ['text', 'image'], tools: true },
  }))
  return stringify({ llms })
}

/** Realistic agents: a prompt of a few lines and some numbers. */
function yamlOfAgents(): string {
  const agents = Array.from({ length: counts.agents }, (_, i) => ({
    agent_type: `AGENT_${i}`,
    llm_model_code: `model-${i % counts.models}`,
    status: 'active',
    config: {
      temperature: 0.2,
      max_tokens: 16_000,
      prompt: `You are agent ${i}.\nAnswer in the language of the question.\nSay what you do not know.\n`,
    },
  }))
  return stringify({ agents })
}

type Documents = Awaited<ReturnType<typeof readSeedFiles>>

async function insert(url: string, { models, agents }: Documents): Promise<void> {
  await using(url, sql =>
    sql.begin(async tx => {
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
    }),
  )
}
