/**
 * Keys of providers: an environment variable wins, then the sealed file of the home, then the keyring of the system.
 *
 * Every process reads them itself when it needs one: they are never in arguments, events, logs or answers. What leaves
 * this file is `Redacted`. Gotcha: on Linux only the Secret Service counts as a keyring, because the kernel's own forgets
 * everything at a restart; where there is none (servers, containers) the file is used.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { join } from "node:path"
import { KEY_VARIABLES, type KeyName } from "../contract/KeyCommands.ts"
import { describe, Terminal } from "./Failure.ts"
import { open, seal } from "./SealedFile.ts"
import { Settings } from "./Settings.ts"

export type KeyPlace = "environment" | "keyring" | "file"
export interface FoundKey {
  readonly key: Redacted.Redacted<string>
  readonly place: KeyPlace
  /** The variable it comes from. */
  readonly variable?: string
}

const PATIENCE_MS = 3_000
const filesOf = (home: string) => ({ secret: join(home, "keys.secret"), sealed: join(home, "keys.sealed") })

/** The home is part of the account, so that two homes keep their keys apart. */
const entryOf = async (home: string, name: KeyName) => {
  const { AsyncEntry } = await import("@napi-rs/keyring")
  return new AsyncEntry("voxbus", `${name}@${home}`, { linux: { store: "secret-service" } })
}

/** `undefined` where the system has no keyring that answers. */
const keyring = <A>(use: (signal: AbortSignal) => Promise<A>): Effect.Effect<A | undefined, never, Settings> =>
  Effect.flatMap(Settings, ({ host }) =>
    host.keyring === "off"
      ? Effect.succeed(undefined)
      : Effect.tryPromise({ try: (signal) => use(signal), catch: describe }).pipe(
          Effect.timeout(PATIENCE_MS),
          Effect.catch(() => Effect.succeed(undefined))
        )
  )

const unreadable = (name: string) => (cause: unknown) =>
  new Terminal({ code: "key.unreadable", message: `The stored key ${name} cannot be read: ${describe(cause)}` })

const fromEnvironment = (name: KeyName): FoundKey | undefined => {
  for (const variable of KEY_VARIABLES[name]) {
    const value = process.env[variable]
    if (value !== undefined && value !== "") return { key: Redacted.make(value), place: "environment", variable }
  }
  return undefined
}

/** The key, or `undefined` when none is set. Fails with `key.unreadable` when the sealed file was damaged. */
export const findKey = Effect.fnUntraced(function* (name: KeyName) {
  const given = fromEnvironment(name)
  if (given !== undefined) return given
  const { home } = yield* Settings
  const stored = yield* Effect.try({ try: () => open(filesOf(home))[name], catch: unreadable(name) })
  if (stored !== undefined) return { key: Redacted.make(stored), place: "file" } satisfies FoundKey as FoundKey
  const kept = yield* keyring(async (signal) => (await entryOf(home, name)).getPassword(signal))
  return typeof kept === "string" ? ({ key: Redacted.make(kept), place: "keyring" } satisfies FoundKey as FoundKey) : undefined
})

const writeFile = (home: string, name: KeyName, value: string | undefined) =>
  Effect.try({
    try: () => {
      const { [name]: _, ...others } = open(filesOf(home))
      seal(filesOf(home), value === undefined ? others : { ...others, [name]: value })
    },
    catch: unreadable(name)
  })

/** Keeps a key; returns where. The keyring where there is one, and then nowhere else. */
export const storeKey = Effect.fnUntraced(function* (name: KeyName, key: Redacted.Redacted<string>) {
  const { home } = yield* Settings
  const kept = yield* keyring(async (signal) => {
    await (await entryOf(home, name)).setPassword(Redacted.value(key), signal)
    return true
  })
  const place: KeyPlace = kept === true ? "keyring" : "file"
  yield* writeFile(home, name, kept === true ? undefined : Redacted.value(key))
  return place
})

/** Forgets a key wherever it is kept; an environment variable stays. Returns whether there was one. */
export const removeKey = Effect.fnUntraced(function* (name: KeyName) {
  const { home } = yield* Settings
  const inFile = yield* Effect.try({ try: () => open(filesOf(home))[name] !== undefined, catch: unreadable(name) })
  const inKeyring = yield* keyring(async (signal) => (await entryOf(home, name)).deleteCredential(signal))
  if (inFile) yield* writeFile(home, name, undefined)
  return inFile || inKeyring === true
})

/** What a person may see of a key: that it is there, and its last characters to tell one from another. */
export const masked = (key: Redacted.Redacted<string>): string => {
  const value = Redacted.value(key)
  return value.length >= 20 ? `...${value.slice(-4)}` : "..."
}

/** An environment without keys, for programs that have no use for them. */
export const withoutKeys = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv => {
  const variables = new Set<string>(Object.values(KEY_VARIABLES).flat())
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !variables.has(name)))
}
