import { readFile, writeFile } from 'node:fs/promises'
import { createPatch } from 'diff'
import { z } from 'zod'
import { agentsFile, modelsFile } from '../src/seed/entries.ts'

/*
 * Writes the JSON Schemas of the two seed files, which editors read, from what the seed itself checks. With `--check`
 * it writes nothing, prints how the files differ and exits 1 if they do.
 */
const schemas = { 'llms.schema.json': modelsFile, 'system_agents.schema.json': agentsFile }

/** The files by their names, as they would be written. */
export function seedSchemas(): [name: string, text: string][] {
  // What zod cannot express, such as that `config` is a mapping, stands in the entry's own metadata.
  return Object.entries(schemas).map(([name, schema]) => [
    name,
    format(z.toJSONSchema(schema, { unrepresentable: 'any' })),
  ])
}

/** As the formatter of this repository has it: lists of words on one line. */
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
      console.error(createPatch(file, current, generated, 'as it is', 'as it would be generated'))
      process.exitCode = 1
    } else {
      await writeFile(file, generated)
      console.log(`wrote ${file}`)
    }
  }
}
