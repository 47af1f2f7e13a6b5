import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../support/root.ts'

const readme = readFileSync(join(root, 'README.md'), 'utf8')

test('every test that the README names for a guarantee is there', () => {
  const cells = [...readme.matchAll(/^\|[^|]*\| (`(?:unit|integration|exhaustive)\/[^|]*) \|$/gm)]
  const paths = cells.flatMap(([, cell = '']) => {
    let folder = ''
    return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => {
      if (name.includes('/')) folder = dirname(name)
      return name.includes('/') ? name : `${folder}/${name}`
    })
  })
  expect(paths.length).toBeGreaterThan(30)
  expect(paths.filter(path => !existsSync(join(root, 'tests', `${path}.test.ts`)))).toEqual([])
})
