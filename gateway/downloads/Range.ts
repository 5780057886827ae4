/** `Range: bytes=...` (RFC 9110): one range, which is what players and waveforms ask for. Several are answered with the whole. */
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import { create as disposition } from "content-disposition"
import type { Failure } from "../../kernel/Failure.ts"

export interface Range {
  readonly start: number
  /** Exclusive. */
  readonly end: number
}

/** Nothing: the whole is wanted. `unsatisfiable`: it begins after the end. */
export const rangeOf = (header: string | undefined, size: number): Range | "unsatisfiable" | undefined => {
  const [, first = "", last = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "") ?? []
  if (first === "" && last === "") return undefined
  if (first === "") return Number(last) === 0 ? "unsatisfiable" : { start: Math.max(0, size - Number(last)), end: size }
  const start = Number(first)
  const end = last === "" ? size : Math.min(size, Number(last) + 1)
  if (last !== "" && Number(last) < start) return undefined
  return start >= size ? "unsatisfiable" : { start, end }
}

/** Something to download, of a known size. */
export interface Download {
  readonly size: number
  readonly mediaType: string
  /** What it is saved as. */
  readonly name: string
  /** Changes when the content does; quoted. */
  readonly etag: string
  readonly read: (range: Range) => Stream.Stream<Uint8Array, Failure>
}

/**
 * The answer to a request for a download.
 *
 * @param inline shown or played in place; otherwise saved
 */
export const served = (
  { size, mediaType, name, etag, read }: Download,
  headers: Readonly<Record<string, string | undefined>>,
  inline: boolean
): HttpServerResponse.HttpServerResponse => {
  const same = headers["if-range"] === undefined || headers["if-range"] === etag
  const range = same ? rangeOf(headers["range"], size) : undefined
  const common = {
    "accept-ranges": "bytes",
    "cache-control": "private, no-cache",
    "content-disposition": disposition(name, { type: inline ? "inline" : "attachment" }),
    etag
  }
  if (headers["if-none-match"] === etag) return HttpServerResponse.empty({ status: 304, headers: common })
  if (range === "unsatisfiable")
    return HttpServerResponse.empty({ status: 416, headers: { ...common, "content-range": `bytes */${size}` } })
  const { start, end } = range ?? { start: 0, end: size }
  return HttpServerResponse.stream(
    read({ start, end }).pipe(
      Stream.tapError((failure) =>
        Effect.logWarning("a download broke").pipe(Effect.annotateLogs({ code: failure.code, reason: failure.message }))
      )
    ),
    {
      status: range === undefined ? 200 : 206,
      contentType: mediaType,
      contentLength: end - start,
      headers: { ...common, ...(range === undefined ? {} : { "content-range": `bytes ${start}-${end - 1}/${size}` }) }
    }
  )
}

/** The part of a sequence of blocks that a range covers. */
export const cut = <E, R>(blocks: Stream.Stream<Uint8Array, E, R>, { start, end }: Range): Stream.Stream<Uint8Array, E, R> =>
  Stream.suspend(() => {
    let position = 0
    return blocks.pipe(
      Stream.map((block) => {
        const from = position
        position += block.length
        const part = block.subarray(Math.min(block.length, Math.max(0, start - from)), Math.max(0, Math.min(block.length, end - from)))
        return { part, last: position >= end }
      }),
      Stream.takeUntil(({ last }) => last),
      Stream.map(({ part }) => part),
      Stream.filter((part) => part.length > 0)
    )
  })
