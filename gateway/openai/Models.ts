/**
 * Which models a request may name. Any name is taken, because clients insist on names of OpenAI's: one that is installed
 * here is used, every other stands for what the settings say.
 */
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { ModelManifest } from "../../kernel/Models.ts"
import { locateModel } from "../../kernel/Models.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { Settings } from "../../kernel/Settings.ts"
import { installedNames } from "../../models/Installed.ts"
import { demand } from "../Access.ts"

/** Stands for whatever is configured, in every endpoint. */
export const CONFIGURED = "voxbus"
/** Names of OpenAI's that clients offer by themselves. */
const KNOWN_NAMES = ["whisper-1", "tts-1"]

type Kind = ModelManifest["kind"]
const KINDS: ReadonlyArray<Kind> = ["llm", "whisper-ct2", "whisper-ggml", "voice"]

/** Installed models of some kinds. */
export const installed = Effect.fnUntraced(function* (kinds: ReadonlyArray<Kind>) {
  const { cache } = yield* Settings
  const names = yield* Effect.promise(() => installedNames(cache))
  const found = yield* Effect.forEach(names, (name) => Effect.option(locateModel(cache, name)))
  return found.flatMap((each) => (each._tag === "Some" && kinds.includes(each.value.kind) ? [each.value.name] : []))
})

/** The name when such a model is installed, else the configured one. */
export const chosen = (name: string, kinds: ReadonlyArray<Kind>, configured: string) =>
  Effect.map(installed(kinds), (names) => (names.includes(name) ? name : configured))

const described = (id: string) => ({ id, object: "model", created: 0, owned_by: "voxbus" })

const all = Effect.map(installed(KINDS), (names) => [CONFIGURED, ...names, ...KNOWN_NAMES].map(described))

export const listModels = Effect.gen(function* () {
  yield* demand("read")
  return HttpServerResponse.jsonUnsafe({ object: "list", data: yield* all })
})

export const oneModel = Effect.fnUntraced(function* (name: string) {
  yield* demand("read")
  const found = (yield* all).find(({ id }) => id === name)
  if (found === undefined) return yield* new Terminal({ code: "model.missing", message: `There is no model ${name.slice(0, 80)} here.` })
  return HttpServerResponse.jsonUnsafe(found)
})
