import { readdir } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { stopServer } from '../../../src/local/server.ts'
import { ask, serverDirectory, start, startInProcess } from '../../support/local.ts'
import { sample } from '../../support/sample.ts'

const times = <T>(n: number, work: () => Promise<T>) => Promise.all(Array.from({ length: n }, work))

const summary = (servers: { url: string; started: boolean }[]) => ({
  urls: new Set(servers.map(server => server.url)).size,
  started: servers.filter(server => server.started).length,
})

const cases: Record<string, () => Promise<void>> = {
  'four starts in one process share one server, new or not': async () => {
    const directory = await serverDirectory()
    expect(summary(await times(4, () => start(directory)))).toEqual({ urls: 1, started: 1 })
    await stopServer(directory)
    expect(summary(await times(4, () => start(directory)))).toEqual({ urls: 1, started: 1 })
    expect((await readdir(directory)).sort()).toEqual(['postgres', 'postgres.log'])
  },

  'four processes that start at once share one server': async () => {
    const directory = await serverDirectory()
    const servers = await times(4, () => startInProcess(directory))
    expect(summary(servers)).toEqual({ urls: 1, started: 1 })
    expect(await ask(servers[0]!.url, sql => sql`select 1 as one`)).toEqual([{ one: 1 }])
    expect((await readdir(directory)).sort()).toEqual(['postgres', 'postgres.log'])
  },

  'a stop and starts at once end in a server or none, never in an error': async () => {
    const directory = await serverDirectory()
    await start(directory)
    const [, server] = await Promise.all([stopServer(directory), start(directory), start(directory)])
    expect(server.directory).toBe(directory)
    expect((await start(directory)).url).toContain('/agents')
  },
}

test.for(sample('local concurrency', Object.entries(cases), 1))('%s', ([, proves]) => proves())
