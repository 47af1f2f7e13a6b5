import { isUtf8 } from 'node:buffer'
import { readFile } from 'node:fs/promises'
import { MAX_WEIGHT } from './json.ts'
import { createSource, type Source } from './source.ts'

/** The text of a file, or an empty one with the reason for which it cannot be read. */
export async function readText(file: string): Promise<Source> {
  let bytes: Buffer
  try {
    bytes = await readFile(file)
  } catch (error) {
    return unreadable(file, `cannot be read: ${reason(error)}`)
  }
  if (bytes.length > MAX_WEIGHT) return unreadable(file, 'is larger than 64 MB')
  if (!isUtf8(bytes)) return notUtf8(file, bytes)
  return createSource(file, bytes.toString('utf8').replace(/^\uFEFF/, ''))
}

function unreadable(file: string, message: string): Source {
  const source = createSource(file, '')
  source.report(0, [], message)
  return source
}

/** Points at the first line that is not UTF-8, where the replacement character first appears. */
function notUtf8(file: string, bytes: Buffer): Source {
  let start = 0
  for (
    let end = bytes.indexOf(10);
    end >= 0 && isUtf8(bytes.subarray(start, end));
    end = bytes.indexOf(10, start)
  ) {
    start = end + 1
  }
  const text = bytes.toString('utf8')
  const before = bytes.subarray(0, start).toString('utf8').length
  const source = createSource(file, text)
  source.report(Math.max(before, text.indexOf('\uFFFD', before)), [], 'is not UTF-8 text')
  return source
}

function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EISDIR') return 'it is a directory'
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied'
  return error instanceof Error ? error.message : String(error)
}
