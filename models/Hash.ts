/** SHA-256 of files and folders, streamed: memory stays flat whatever the size. */
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { readdir, stat } from "node:fs/promises"
import { join, relative, sep } from "node:path"
import { pipeline } from "node:stream/promises"

const hashFile = async (path: string, signal?: AbortSignal): Promise<string> => {
  const hash = createHash("sha256")
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash, { ...(signal && { signal }) })
  return hash.digest("hex")
}

/** Every file under `folder`, sorted by path in code unit order, with `/` on every platform. */
export const filesUnder = async (folder: string): Promise<ReadonlyArray<string>> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .toSorted()
}

/** SHA-256 of a file; of a folder, the SHA-256 of the lines `<sha256>  <path>` of its files. */
export const sha256 = async (path: string, signal?: AbortSignal): Promise<string> => {
  if (!(await stat(path)).isDirectory()) return hashFile(path, signal)
  const hash = createHash("sha256")
  for (const file of await filesUnder(path)) hash.update(`${await hashFile(join(path, file), signal)}  ${file}\n`)
  return hash.digest("hex")
}

/** Bytes of a file, or of all files of a folder; 0 when it does not exist. */
export const bytesOf = async (path: string): Promise<number> => {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return 0
  if (!found.isDirectory()) return found.size
  let sum = 0
  for (const file of await filesUnder(path).catch(() => [])) sum += (await stat(join(path, file)).catch(() => undefined))?.size ?? 0
  return sum
}
