import { isUtf8 } from 'node:buffer'
import { readFile, stat } from 'node:fs/promises'

/** The most bytes that a file may have: some hundred times what people write. */
const MAX_SIZE = 5 * 1024 * 1024

/** The text of a file, or why it cannot be read. */
export async function readTextFile(file: string): Promise<{ text: string } | { failure: string }> {
  try {
    const stats = await stat(file)
    if (stats.isDirectory()) return { failure: 'it is a directory, not a file' }
    if (!stats.isFile()) return { failure: 'it is not a regular file' }
    if (stats.size > MAX_SIZE) return { failure: 'the file is larger than 5 MB' }
    const bytes = await readFile(file)
    const text = bytes.toString('utf8')
    if (isUtf8(bytes)) return { text: text.replace(/^\uFEFF/, '') }
    const encoded = Buffer.from(text)
    const before = bytes.toString(
      'utf8',
      0,
      bytes.findIndex((byte, index) => byte !== encoded[index]),
    )
    return { failure: `is not UTF-8 text: see line ${before.split('\n').length}` }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return { failure: 'the file does not exist' }
    return { failure: `the file cannot be read: ${code === 'EACCES' ? 'permission denied' : message}` }
  }
}
