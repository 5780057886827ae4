/**
 * Reads a CTranslate2 `model.bin`: the list of its variables, and the values of one at a time, so that a model of
 * gigabytes is converted in the memory of its largest matrix.
 *
 * Format, little-endian: u32 version, string spec name, u32 revision, u32 count, then per variable: string name,
 * u8 rank, rank x u32 dimensions, u8 type, u32 bytes, data. A string is a u16 length (with its NUL) and the bytes.
 */
import { type FileHandle, open } from "node:fs/promises"

export type Ct2Type = "f32" | "i8" | "i16" | "i32" | "f16"
const TYPES: ReadonlyArray<Ct2Type> = ["f32", "i8", "i16", "i32", "f16"]

export interface Ct2Variable {
  readonly name: string
  readonly shape: ReadonlyArray<number>
  readonly type: Ct2Type
  /** Place of the data in the file. */
  readonly offset: number
  readonly bytes: number
}

export interface Ct2Model {
  readonly spec: string
  readonly variables: ReadonlyMap<string, Ct2Variable>
  /** The raw bytes of rows `from` (inclusive) to `to` (exclusive) of the first dimension. */
  readonly rows: (variable: Ct2Variable, from: number, to: number) => Promise<Buffer>
  readonly close: () => Promise<void>
}

/** Larger than the head of any variable: name, shape and type. */
const WINDOW = 1024
/** Version 6 is what CTranslate2 writes since 2.0; older files have no type in the variable's head. */
const VERSIONS = [4, 5, 6]

const readAt = async (file: FileHandle, position: number, bytes: number): Promise<Buffer> => {
  const buffer = Buffer.allocUnsafe(bytes)
  const { bytesRead } = await file.read(buffer, 0, bytes, position)
  return buffer.subarray(0, bytesRead)
}

/** Throws an `Error` that says what is wrong when the file is not a CTranslate2 model. */
export const openCt2 = async (path: string): Promise<Ct2Model> => {
  const file = await open(path, "r")
  try {
    const { size } = await file.stat()
    let window = await readAt(file, 0, WINDOW)
    let base = 0
    let at = 0
    const string = (): string => {
      const length = window.readUInt16LE(at)
      const text = window.toString("utf8", at + 2, at + 1 + length)
      at += 2 + length
      return text
    }
    const u32 = (): number => {
      at += 4
      return window.readUInt32LE(at - 4)
    }
    const version = u32()
    if (!VERSIONS.includes(version)) throw new Error("model.bin is not a CTranslate2 model")
    const spec = string()
    u32()
    const count = u32()
    const variables = new Map<string, Ct2Variable>()
    for (let index = 0; index < count; index++) {
      base += at
      at = 0
      window = await readAt(file, base, WINDOW)
      const name = string()
      const rank = window.readUInt8(at++)
      const shape = Array.from({ length: rank }, u32)
      const type = TYPES[window.readUInt8(at++)]
      if (type === undefined) throw new Error(`${name} has an unknown number type`)
      const bytes = u32()
      const offset = base + at
      if (offset + bytes > size) throw new Error("model.bin is cut short")
      variables.set(name, { name, shape, type, offset, bytes })
      at += bytes
    }
    const rows = (variable: Ct2Variable, from: number, to: number) => {
      const stride = variable.bytes / (variable.shape[0] ?? 1)
      return readAt(file, variable.offset + from * stride, (to - from) * stride)
    }
    return { spec, variables, rows, close: () => file.close() }
  } catch (cause) {
    await file.close()
    throw cause instanceof RangeError ? new Error("model.bin is not a CTranslate2 model", { cause }) : cause
  }
}
