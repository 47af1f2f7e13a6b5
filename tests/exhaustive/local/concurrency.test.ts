import { readdir } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { type LocalServer, stopServer } from '../../../src/local/server.ts'
import { answers, serverDirectory, start, startInProcess } from '../../support/local.ts'
import { sample } from '../../support/sample.ts'

async function expectOneServer(starting: () => Promise<LocalServer & { started: boolean }>): Promise<void> {
  const servers = await Promise.all([starting(), starting(), starting(), starting()])
  const [{ url, directory }] = servers
  expect(servers.filter(server => server.started)).toHaveLength(1)
  expect(servers.filter(server => server.url === url)).toHaveLength(4)
  expect(await answers(url)).toEqual([{ one: 1 }])
  expect((await readdir(directory)).sort()).toEqual(['port', 'postgres', 'postgres.log'])
}

const cases: Record<string, () => Promise<void>> = {
  'four starts in one process share one server, new or not': async () => {
    const directory = await serverDirectory()
    await expectOneServer(() => start(directory))
    await stopServer(directory)
    await expectOneServer(() => start(directory))
  },

  'four processes that start at once share one server, new or not': async () => {
    const directory = await serverDirectory()
    await expectOneServer(() => startInProcess(directory))
    await stopServer(directory)
    await expectOneServer(() => startInProcess(directory))
  },

  'a stop and starts at once end in a server or none, never in an error': async () => {
    const directory = await serverDirectory()
    await start(directory)
    await Promise.all([stopServer(directory), start(directory), start(directory), stopServer(directory)])
    expect(await answers((await start(directory)).url)).toEqual([{ one: 1 }])
  },
}

test.for(sample('local concurrency', Object.entries(cases), 1))('%s', ([, proves]) => proves())
