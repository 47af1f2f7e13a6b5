import { type ParseArgsConfig, parseArgs } from 'node:util'

/** The numbers given as `--name=number`, or else as they are here. */
export function readOptions<Name extends string>(
  bench: string,
  defaults: Record<Name, number>,
): Record<Name, number> {
  const names = Object.keys(defaults) as Name[]
  const options: ParseArgsConfig['options'] = { help: { type: 'boolean' } }
  for (const name of names) options[name] = { type: 'string' }
  const { values } = parseArgs({ options })
  if (values.help) {
    console.log(`usage: pnpm bench ${bench} ${names.map(name => `[--${name}=${defaults[name]}]`).join(' ')}`)
    process.exit()
  }
  const read = (name: Name) => {
    const number = Number(values[name] ?? defaults[name])
    if (!Number.isInteger(number) || number < 1) {
      console.error(`--${name}: not a whole number above 0`)
      process.exit(2)
    }
    return [name, number]
  }
  return Object.fromEntries(names.map(read))
}
