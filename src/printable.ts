/** A text as one line: characters that a terminal would obey, or that turn what follows around, are made visible. */
export function printableLine(text: string): string {
  return text.replace(/(?!\t)[\p{Cc}\p{Bidi_Control}]/gu, character => {
    const code = character.charCodeAt(0)
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`
  })
}

/** The same for lines of text. */
export function printable(text: string): string {
  return text.split(/\r?\n/).map(printableLine).join('\n')
}

/** A value as JSON that a terminal shows as it is. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(
    /[\x7f-\x9f\p{Bidi_Control}]/gu,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** A text, cut where it is long. */
export function clip(text: string, length = 100): string {
  return text.length > length ? `${text.slice(0, length)}…` : text
}
