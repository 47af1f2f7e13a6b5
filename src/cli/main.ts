#!/usr/bin/env node
import process from 'node:process'
import { version } from './cli.ts'

const { stdin, stdout, stderr, env } = process

// A reader that has seen enough, such as `head`, does not stop a migration.
for (const stream of [stdout, stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

process.once('SIGINT', () => {
  stderr.write('\ninterrupted; what is committed stays\n')
  process.exit(130)
})

const [, , ...argv] = process.argv
if (argv.length === 1 && argv[0] === '--version') {
  // Answered before commander and the commands are loaded.
  stdout.write(`${version}\n`)
} else {
  const { run } = await import('./run.ts')
  process.exitCode = await run(argv, { stdin, stdout, stderr, env, cwd: process.cwd() })
}
