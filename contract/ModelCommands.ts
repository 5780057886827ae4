/** Models and tools of the machine: which there are, fetching one while its progress can be watched, removing one. */
import * as Schema from "effect/Schema"
import { command } from "./Command.ts"
import { ErrorCode } from "./Errors.ts"

const Bytes = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))

export const ModelEntry = Schema.Struct({
  name: Schema.String,
  kind: Schema.String,
  licence: Schema.String,
  description: Schema.String,
  installed: Schema.Boolean,
  /** On the disk when installed, else what it will take. */
  bytes: Bytes,
  /** Where it came from; empty when it is not installed. */
  origin: Schema.String,
  /** While it is being fetched; 0 of 0 where there is nothing to count. */
  fetching: Schema.optionalKey(Schema.Struct({ step: Schema.String, received: Bytes, total: Bytes })),
  /** How the last try to fetch it failed, since the instance was started. */
  failed: Schema.optionalKey(Schema.Struct({ code: ErrorCode, message: Schema.String }))
})
export type ModelEntry = typeof ModelEntry.Type

const Name = Schema.NonEmptyString.check(Schema.isMaxLength(100))

export const ListModels = command("models.list", {
  request: Schema.Struct({}),
  reply: Schema.Struct({ models: Schema.Array(ModelEntry) }),
  changes: false,
  means: "Every model and tool of the catalogue and those that were imported, with the progress of what is being fetched."
})

export const FetchModel = command("models.fetch", {
  request: Schema.Struct({ name: Name }),
  reply: Schema.Struct({ name: Schema.String, started: Schema.Boolean }),
  changes: true,
  admin: true,
  means: "Begins to fetch a model; `models.list` says how far it is."
})

export const RemoveModel = command("models.remove", {
  request: Schema.Struct({ name: Name }),
  reply: Schema.Struct({ name: Schema.String, bytes: Bytes }),
  changes: true,
  admin: true,
  means: "Deletes a model from the cache; it can be fetched again."
})
