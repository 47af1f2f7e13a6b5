import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createPatch } from 'diff'
import { z } from 'zod'
import { agentsFile, modelsFile } from '../src/seed/entries.ts'

/*
 * Writes the JSON Schemas of the two seed files, which editors read, from what the seed itself checks. With `--check`
 * it writes nothing, prints how the files differ and exits 1 if they do.
 */
const { values } = parseArgs({
  options: { directory: { type: 'string', default: 'seeds' }, check: { type: 'boolean', default: false } },
})

for (const [name, schema] of [
  ['llms.schema.json', modelsFile],
  ['system_agents.schema.json', agentsFile],
] as const) {
  const file = join(values.directory, name)
  // What zod cannot express, such as that `config` is a mapping, stands in the entry's own metadata.
  const generated = format(z.toJSONSchema(schema, { unrepresentable: 'any' }))
  const current = await readFile(file, 'utf8').catch(() => '')
  if (current.replaceAll('\r\n', '\n') === generated) continue
  if (values.check) {
    console.error(createPatch(file, current, generated, 'as it is', 'as it would be generated'))
    process.exitCode = 1
  } else {
    await writeFile(file, generated)
    console.log(`wrote ${file}`)
  }
}

/** As the formatter of this repository has it: lists of words on one line. */
function format(schema: object): string {
  const json = JSON.stringify(schema, null, 2)
  const inline = (_: string, words: string) => `[${words.replace(/\s*\n\s*/g, ' ')}]`
  return `${json.replace(/\[\s*([^[\]{}]*?)\s*]/g, inline)}\n`
}
