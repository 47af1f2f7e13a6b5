import { z } from 'zod'
import type { JsonProblem } from './json.ts'
import { clip } from './printable.ts'

const count = (description: string) =>
  z.int('must be a whole number').positive('must be more than 0').meta({ description })
const flag = (description: string) => z.boolean('must be true or false').meta({ description })

/** The keys of a model's `config` that have a meaning here; a backend may read others. */
export const llmConfig = z.object({
  context_window: count('Total tokens for prompt and answer.').optional(),
  max_output_tokens: count('Maximum tokens in one answer, thinking included.').optional(),
  input: z
    .array(z.string('must be text'), 'must be a list')
    .meta({ description: 'What a message may hold.' })
    .optional(),
  tools: flag('Whether the model can call functions.').optional(),
  structured_output: flag('Whether an answer can be held to a JSON Schema.').optional(),
  temperature: flag('Whether the API takes a temperature.').optional(),
})

/** The same of an agent's `config`. */
export const agentConfig = z.object({
  prompt: z
    .string('must be text')
    .regex(/\S/, 'must not be blank')
    .meta({ description: 'The system prompt. A user may replace it with their own.' })
    .optional(),
  temperature: z
    .number('must be a number')
    .min(0, 'must be from 0 to 2')
    .max(2, 'must be from 0 to 2')
    .meta({ description: '0 is repeatable, 1 is varied.' })
    .optional(),
  max_tokens: count('Longest answer, in tokens.').optional(),
  timeout_seconds: z
    .number('must be a number')
    .positive('must be more than 0')
    .meta({ description: 'When the backend gives up on one call.' })
    .optional(),
  max_steps: count('How many rounds of tool calls one task may take.').optional(),
  response_format: z
    .enum(['text', 'json'], 'must be text or json')
    .meta({ description: 'What form an answer has.' })
    .optional(),
})

/** What is wrong with the known keys of a configuration. Zod's own parse would copy it, and drop a key named `__proto__`. */
export function problemsInConfig(known: z.ZodObject, config: Record<string, unknown>): JsonProblem[] {
  const { issues = [] } = known.safeParse(config).error ?? {}
  return issues.map(({ path, message }) => {
    const value = clip(JSON.stringify(config[String(path[0])]) ?? '', 40)
    return { path: path as JsonProblem['path'], message: `${message}, and is ${value}` }
  })
}
