import { readFile, writeFile } from 'node:fs/promises'
import { createPatch } from 'diff'
import { z } from 'zod'
import { agentsFile, modelsFile } from '../src/seed/entries.ts'

/*
 * Writes the JSON Schemas of the two seed files, which editors read, from the rules that the seed checks. With `--check`
 * it writes nothing, and if a file is out of date prints the difference and exits with 1.
 */
const schemas = { 'llms.schema.json': modelsFile, 'system_agents.schema.json': agentsFile }

/** The names of the files and their text. */
export function seedSchemas(): [name: string, text: string][] {
  // What Zod cannot express, such as that `config` is a mapping, is in the metadata of the entry.
  return Object.entries(schemas).map(([name, schema]) => [
    name,
    format(z.toJSONSchema(schema, { unrepresentable: 'any' })),
  ])
}

/** Formats as Biome does: short lists on one line. */
function format(schema: object): string {
  const json = JSON.stringify(schema, null, 2)
  const inline = (_: string, words: string) => `[${words.replace(/\s*\n\s*/g, ' ')}]`
  return `${json.replace(/\[\s*([^[\]{}]*?)\s*]/g, inline)}\n`
}

if (import.meta.filename === process.argv[1]) {
  for (const [name, generated] of seedSchemas()) {
    const file = `seeds/${name}`
    const current = await readFile(file, 'utf8').catch(() => '')
    if (current.replaceAll('\r\n', '\n') === generated) continue
    if (process.argv.includes('--check')) {
      console.error(createPatch(file, current, generated, 'now', 'generated'))
      process.exitCode = 1
    } else {
      await writeFile(file, generated)
      console.log(`wrote ${file}`)
    }
  }
}
