import { drawing, path, rect, text, widthOf } from './svg.ts'

type Works = 'good' | 'limited' | 'none'

/** What is true where a migration has been committed and the next has not. */
interface Point {
  phase: 'baseline' | 'expand' | 'contract' | 'harden' | 'since'
  old: [Works, string]
  new: [Works, string]
  stop: string
  /** A good place to stay, for as long as it takes. */
  stay?: true
}

const gone: Point['old'] = ['none', 'no, its tables are gone']
const works: Point['new'] = ['good', 'works']

const points: Record<string, Point> = {
  create_the_agent_tables: {
    phase: 'baseline',
    old: ['limited', 'works where default grants let it'],
    new: ['none', 'not yet'],
    stop: 'go on, the grants come next',
  },
  secure_the_agent_tables: {
    phase: 'baseline',
    old: works,
    new: ['none', 'not yet'],
    stop: 'yes, where Alembic left off',
    stay: true,
  },
  serve_both_applications: {
    phase: 'expand',
    old: works,
    new: ['limited', 'works; older profiles lack agent_prompts'],
    stop: 'possible',
  },
  archive_what_users_own: {
    phase: 'expand',
    old: works,
    new: works,
    stop: 'yes, to replace old by new',
    stay: true,
  },
  let_go_of_agent_id: {
    phase: 'contract',
    old: ['limited', 'unchecked going up, empty coming down'],
    new: works,
    stop: 'possible, with the old one gone',
  },
  rename_the_catalog_and_drop_user_agents: { phase: 'contract', old: gone, new: works, stop: 'possible' },
  secure_system_agents: { phase: 'contract', old: gone, new: works, stop: 'possible' },
  harden_the_tables: {
    phase: 'harden',
    old: gone,
    new: ['good', 'works; the database holds its rules'],
    stop: 'yes',
    stay: true,
  },
}

/** What came after the simplification: nobody has to wait for anybody. */
const since: Point = { phase: 'since', old: gone, new: works, stop: 'yes' }

interface Step extends Point {
  name: string
}

const footer = [
  'At every point a sign-up works, clients can do nothing, and no row that a user owns is lost.',
  'Every step has a way back, until pnpm archive drop: from then on none past the contract phase.',
]

/** What is known of each migration's folder, in order. */
export function readPhases(folders: string[]): Step[] {
  return folders.toSorted().map(folder => {
    const name = folder.slice('YYYYMMDDHHMMSS_'.length)
    return { name, ...(points[name] ?? since) }
  })
}

/** As Mermaid's flow chart, from the first migration down to the last. */
export function phasesAsMermaid(steps: Step[]): string {
  const phases = [...new Set(steps.map(({ phase }) => phase))]
  const node = (step: Step) =>
    `${step.name}["<b>${step.name}</b><br>old application: ${step.old[1]}<br>new application: ${step.new[1]}<br>stopping here: ${step.stop}"]`
  // Joined by their borders: an arrow to a migration inside would cross the phase's name, and turn its row upright.
  return [
    'flowchart TB',
    ...phases.flatMap(phase => {
      const within = steps.filter(step => step.phase === phase)
      return [
        `  subgraph ${phase}`,
        '    direction LR',
        ...within.map(step => `    ${node(step)}`),
        ...(within.length > 1 ? [`    ${within.map(({ name }) => name).join(' --> ')}`] : []),
        '  end',
      ]
    }),
    `  ${phases.join(' --> ')}`,
    '  classDef stay stroke-width:4px',
    `  class ${steps
      .filter(({ stay }) => stay)
      .map(({ name }) => name)
      .join(',')} stay`,
  ].join('\n')
}

const MARGIN = 24
const ROW = 46
const GAP = 12

/** A line for each point, from the top down; what each application can do there in a column of its own. */
export function phasesAsSvg(steps: Step[]): string {
  const columnOf = (words: string[], size: number) => Math.max(...words.map(word => widthOf(word, size)))
  const phase = columnOf(
    steps.map(step => step.phase),
    13,
  )
  const names = columnOf(
    steps.map(step => step.name),
    13,
  )
  const olds = columnOf([...steps.map(step => step.old[1]), 'old application'], 11) + 2 * GAP
  const news = columnOf([...steps.map(step => step.new[1]), 'new application'], 11) + 2 * GAP
  const stops = columnOf([...steps.map(step => step.stop), 'stopping here'], 11)
  const phaseX = MARGIN
  const dotX = phaseX + phase + 3 * GAP
  const nameX = dotX + 2 * GAP
  const oldX = nameX + names + 2 * GAP
  const newX = oldX + olds + GAP
  const stopX = newX + news + GAP
  const top = MARGIN + 30
  const middle = (i: number) => top + ROW * i + ROW / 2
  const width = stopX + stops + MARGIN
  const height = top + ROW * steps.length + 20 * footer.length + 2 * MARGIN - 10

  const shapes = [
    text(nameX, MARGIN + 12, 'after this migration', 'small muted'),
    text(oldX + GAP, MARGIN + 12, 'old application', 'small muted'),
    text(newX + GAP, MARGIN + 12, 'new application', 'small muted'),
    text(stopX, MARGIN + 12, 'stopping here', 'small muted'),
    path(`M ${dotX} ${middle(0)} V ${middle(steps.length - 1)}`, 'line'),
  ]
  for (const name of new Set(steps.map(step => step.phase))) {
    const first = steps.findIndex(step => step.phase === name)
    const last = steps.findLastIndex(step => step.phase === name)
    const size = { width: phase + 2 * GAP, height: ROW * (last - first + 1) - 8 }
    shapes.push(
      rect(phaseX, top + ROW * first + 4, size, 'bar'),
      text(phaseX + GAP, (middle(first) + middle(last)) / 2 + 5, name, 'bold'),
    )
  }
  for (const [i, step] of steps.entries()) {
    const y = middle(i)
    const cell = (x: number, width: number, [kind, words]: [Works, string]) => [
      rect(x, y - 15, { width, height: 30 }, kind),
      text(x + GAP, y + 4, words, 'small'),
    ]
    const radius = step.stay ? 8 : 5
    shapes.push(
      `<circle cx="${dotX}" cy="${y}" r="${radius}" class="${step.stay ? 'first' : 'box'}"/>`,
      text(nameX, y + 5, step.name, step.stay ? 'bold' : ''),
      ...cell(oldX, olds, step.old),
      ...cell(newX, news, step.new),
      text(stopX, y + 4, step.stop, step.stay ? 'small bold' : 'small muted'),
    )
  }
  for (const [i, line] of footer.entries()) {
    shapes.push(text(MARGIN, top + ROW * steps.length + MARGIN + 20 * i, line, 'small muted'))
  }
  return drawing(
    'The phases of the migration, and what works at each commit point',
    { width, height },
    shapes,
  )
}
