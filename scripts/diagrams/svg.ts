/** Width of a character of the font below, as a part of its size. */
const ADVANCE = 0.61

/** Stands on a ground of its own, so that it can be read on any; dark where the reader's screen is. */
const style = `
    text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #1f2328 }
    .small { font-size: 11px }
    .bold { font-weight: 600 }
    .muted { fill: #59636e }
    .paper { fill: #ffffff; stroke: #d1d9e0 }
    .box { fill: #ffffff; stroke: #818b98 }
    .bar { fill: #ddf4ff; stroke: #818b98 }
    .foreign { stroke-dasharray: 5 4 }
    .line { fill: none; stroke: #818b98; stroke-width: 1.5 }
    .faint { fill: none; stroke: #d1d9e0 }
    .head { fill: #818b98 }
    .good { fill: #dafbe1; stroke: #1a7f37 }
    .limited { fill: #fff8c5; stroke: #9a6700 }
    .none { fill: #eaeef2; stroke: #818b98 }
    .first { fill: #0969da; stroke: #0969da }
    .second { fill: #bc4c00; stroke: #bc4c00 }
    .thick { fill: none; stroke-width: 2 }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc }
      .muted { fill: #9198a1 }
      .paper { fill: #0d1117; stroke: #3d444d }
      .box { fill: #0d1117; stroke: #9198a1 }
      .bar { fill: #14304f; stroke: #9198a1 }
      .line { stroke: #9198a1 }
      .faint { stroke: #3d444d }
      .head { fill: #9198a1 }
      .good { fill: #12361f; stroke: #3fb950 }
      .limited { fill: #3a2d0a; stroke: #d29922 }
      .none { fill: #21262d; stroke: #9198a1 }
      .first { fill: #4493f8; stroke: #4493f8 }
      .second { fill: #db6d28; stroke: #db6d28 }
    }
    .thick { fill: none }`

export interface Size {
  width: number
  height: number
}

export function drawing(title: string, { width, height }: Size, shapes: string[]): string {
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `  <title>${escaped(title)}</title>`,
    `  <style>${style}`,
    '  </style>',
    ...[rect(0.5, 0.5, { width: width - 1, height: height - 1 }, 'paper', 8), ...shapes].map(
      shape => `  ${shape}`,
    ),
    '</svg>',
  ].join('\n')}\n`
}

export function rect(x: number, y: number, { width, height }: Size, kind: string, radius = 4): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius}" class="${kind}"/>`
}

export function text(
  x: number,
  y: number,
  words: string,
  kind = '',
  anchor: 'start' | 'middle' | 'end' = 'start',
): string {
  const attributes = [
    `x="${x}" y="${y}"`,
    ...(kind ? [`class="${kind}"`] : []),
    ...(anchor === 'start' ? [] : [`text-anchor="${anchor}"`]),
  ]
  return `<text ${attributes.join(' ')}>${escaped(words)}</text>`
}

export function path(d: string, kind: string): string {
  return `<path d="${d}" class="${kind}"/>`
}

/** How wide a text will be, to the next pixel. */
export function widthOf(words: string, size = 13): number {
  return Math.ceil(words.length * size * ADVANCE)
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
