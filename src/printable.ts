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

/** A text, cut where it is long. */
export function clip(text: string, length = 100): string {
  return text.length > length ? `${text.slice(0, length)}…` : text
}
