import { expect, test } from 'vitest'
import { MigrationError } from '../../src/migrator/error.ts'

test.each(['42P01', 'P0001', '00000', '3F000'])('%s is an SQLSTATE', code => {
  expect(new MigrationError('STATEMENT_FAILED', '', { sqlState: code }).sqlState).toBe(code)
})

test.each(['EPIPE', 'CONNECTION_CLOSED', '', undefined])('%s is not', code => {
  expect(new MigrationError('STATEMENT_FAILED', '', { sqlState: code }).sqlState).toBeUndefined()
})
