/** Why one source of a file did not deliver. The resolver collects these and tells them all when the last one failed. */
import * as Data from "effect/Data"
import type { ErrorCode } from "../contract/Errors.ts"
import { describe, systemCode } from "../kernel/Failure.ts"

export class SourceFailure extends Data.TaggedError("SourceFailure")<{
  readonly code: Extract<ErrorCode, "model.sources" | "model.checksum" | "model.unsupported" | "network.offline" | "disk.full">
  /** Continues "<source>: ". */
  readonly reason: string
}> {}

export const unreachable = (reason: string): SourceFailure => new SourceFailure({ code: "model.sources", reason })

/** A thrown value as a failure; a full disk keeps its name. */
export const fromCause = (cause: unknown): SourceFailure => {
  if (cause instanceof SourceFailure) return cause
  if (systemCode(cause) === "ENOSPC") return new SourceFailure({ code: "disk.full", reason: "the disk is full" })
  const code = systemCode(cause)
  const text = describe(cause)
  return unreachable(code === undefined || text.includes(code) ? text : `${text} (${code})`)
}

export const wrongSum = (expected: string, found: string): SourceFailure =>
  new SourceFailure({
    code: "model.checksum",
    reason: `SHA-256 is ${found.slice(0, 16)}..., expected ${expected.slice(0, 16)}...; the file was discarded`
  })
