/**
 * Whisper's vocabulary as raw bytes per token. CTranslate2 writes it as text (one token a line, or a JSON array) in
 * GPT-2's alphabet, which shows every byte as a printable character; that mapping is undone here.
 */
import { readFile } from "node:fs/promises"
import { join } from "node:path"

/** Character to byte: printable Latin-1 stands for itself, the other bytes follow from U+0100 on, in order. */
const BYTES: ReadonlyMap<string, number> = (() => {
  const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255)
  let next = 256
  return new Map(Array.from({ length: 256 }, (_, byte) => [String.fromCodePoint(printable(byte) ? byte : next++), byte]))
})()

/** The bytes of a token; one with characters outside the alphabet (a special token) is taken as UTF-8. */
export const tokenBytes = (token: string): Buffer => {
  const bytes = Array.from(token, (character) => BYTES.get(character))
  return bytes.every((byte) => byte !== undefined) ? Buffer.from(bytes) : Buffer.from(token, "utf8")
}

/** Name of the vocabulary file in a CTranslate2 folder, if there is one. */
export const VOCABULARY_FILES = ["vocabulary.txt", "vocabulary.json"]

/** Tokens of a CTranslate2 folder in the order of their ids. */
export const readVocabulary = async (folder: string): Promise<ReadonlyArray<string>> => {
  const text = await readFile(join(folder, "vocabulary.txt"), "utf8").catch(() => undefined)
  if (text !== undefined) return text.replace(/\n$/, "").split("\n")
  return JSON.parse(await readFile(join(folder, "vocabulary.json"), "utf8")) as ReadonlyArray<string>
}
