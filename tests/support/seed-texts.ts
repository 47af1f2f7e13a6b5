import { stringify } from 'yaml'
import { type Diagnostic, formatDiagnostic, parseSeed, SeedError, type SeedTexts } from '../../src/seed.ts'

/** A right entry of `llms.yaml`, with what the test changes. */
export const model = (model_code: string, change: object = {}) => ({
  model_code,
  provider: 'provider',
  display_name: `Model ${model_code}`,
  status: 'active',
  config: { context_window: 1000 },
  ...change,
})

/** A right entry of `system_agents.yaml`, with what the test changes. */
export const agent = (agent_type: string, llm_model_code: string, change: object = {}) => ({
  agent_type,
  llm_model_code,
  status: 'active',
  config: { prompt: `You are ${agent_type}.` },
  ...change,
})

/** The two files as text; what is not text is written as YAML. */
export function texts(llms: object[] | string, agents: object[] | string): SeedTexts {
  const write = (key: string, value: object[] | string) =>
    typeof value === 'string' ? value : stringify({ [key]: value }, { aliasDuplicateObjects: false })
  return {
    llms: { file: 'llms.yaml', text: write('llms', llms) },
    agents: { file: 'system_agents.yaml', text: write('agents', agents) },
  }
}

/** Documents for `seed`, of entries that are right. */
export const documents = (llms: object[] | string, agents: object[] | string) => ({
  documents: parseSeed(texts(llms, agents)),
})

/** The mistakes of two files, which have to have some. */
export function diagnosticsOf(
  llms: object[] | string,
  agents: object[] | string,
  known?: string[],
): Diagnostic[] {
  try {
    parseSeed(texts(llms, agents), known)
  } catch (error) {
    if (error instanceof SeedError) return [...error.diagnostics]
    throw error
  }
  throw new Error('no mistake was found')
}

/** The same, one a line. */
export const lines = (llms: object[] | string, agents: object[] | string, known?: string[]): string[] =>
  diagnosticsOf(llms, agents, known).map(formatDiagnostic)

/** One right entry up to `config`, whose settings the test writes itself, from column 7 of line 7. */
export const withConfig = (settings: string) => `llms:
  - model_code: m
    provider: p
    display_name: M
    status: active
    config:
${settings.replace(/^/gm, '      ')}
`
