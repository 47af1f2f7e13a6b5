import { describe, expect, test } from 'vitest'
import type { Facts } from '../../../src/catalog/read.ts'
import { baseline, catalogs, named, titleOf } from '../../support/migrations.ts'

// What catalog.json has to say after every migration. That a database says the same is proven in catalog/catalog, that
// it denies what it should in the exhaustive security/denial.

const verbs = ['select', 'insert', 'update', 'delete']
const states = [...catalogs].map(([name, catalog]) => ({ name, title: titleOf(name), catalog }))
const start = (facts: Facts, word: string) =>
  Object.fromEntries(Object.entries(facts).filter(([fact]) => fact.startsWith(word)))

/** These write where the role that triggers them has no rights. */
const definers = [
  'archive.default_memory_agent()',
  'archive.copy_memory_agent()',
  'archive.clear_user_agents()',
  'archive.copy_user_agent()',
  'public.create_profile_for_new_user()',
]

describe.each(states)('after $title', ({ name, title, catalog }) => {
  const objects = Object.entries(catalog)
  // The migration after it renames them.
  const policiesOf = (table: string) =>
    title === 'rename_catalog_and_drop_user_agents' && table === 'system_agents'
      ? 'user_agent_catalog'
      : table

  test('every table in public has the eight policies that let nothing through, and no other', () => {
    const tables = objects.filter(([object]) => object.startsWith('table public.'))
    expect(tables.length).toBeGreaterThan(3)
    for (const [object, facts] of tables) {
      const policies = ['anon', 'authenticated'].flatMap(role =>
        verbs.map(verb => {
          const reads = verb === 'insert' ? '' : ' using (false)'
          const writes = verb === 'insert' || verb === 'update' ? ' with check (false)' : ''
          const policy = `policy ${role}_${verb}_${policiesOf(object.slice('table public.'.length))}`
          return [policy, `permissive for ${verb} to ${role}${reads}${writes}`]
        }),
      )
      expect({ object, ...start(facts, 'policy') }).toEqual({ object, ...Object.fromEntries(policies) })
      expect(facts['row level security']).toBe('enabled')
    }
  })

  test('only the deployer and, once secured, service_role have grants, and in archive only the deployer', () => {
    const secured = name >= named(baseline)
    for (const [object, facts] of objects.filter(([object]) => /^(table|view|schema) /.test(object))) {
      if (['table auth.users', 'schema public'].includes(object)) continue
      const grants = { 'grants to the deployer': 'all' }
      if (secured && /^(table|view) public\./.test(object))
        Object.assign(grants, { 'grants to service_role': 'DELETE, INSERT, SELECT, UPDATE' })
      expect({ object, ...start(facts, 'grants') }).toEqual({ object, ...grants })
    }
  })

  test('every function has an empty search_path, and belongs to the deployer, who alone may call it', () => {
    const functions = objects.filter(([object]) => object.startsWith('function '))
    expect(functions.map(([object]) => object)).toContain('function public.create_profile_for_new_user()')
    for (const [object, facts] of functions) {
      expect({
        object,
        configuration: facts.configuration,
        owner: facts.owner,
        ...start(facts, 'grants'),
      }).toEqual({
        object,
        configuration: 'search_path=""',
        owner: 'the deployer',
        'grants to the deployer': 'EXECUTE',
      })
      const security = definers.includes(object.slice('function '.length)) ? 'definer' : 'invoker'
      expect({ object, security: facts.security }).toEqual({ object, security })
    }
  })
})
