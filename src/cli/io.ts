type Terminal = { isTTY?: boolean; columns?: number }

/** What a run reads and writes: the process's own in `main`, a test's in tests. */
export interface Io {
  stdin: NodeJS.ReadableStream & Terminal
  stdout: NodeJS.WritableStream & Terminal
  stderr: NodeJS.WritableStream & Terminal
  env: Record<string, string | undefined>
  /** The directory of `.env` and `.data`, to which paths are relative. */
  cwd: string
}
