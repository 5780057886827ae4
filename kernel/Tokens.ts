/**
 * Who may use the gateway: the token of the home, made at the first start and kept in a file that only its owner may read,
 * and tokens that were issued to other programs, of which only the SHA-256 is kept (they are 256 random bits, so a slow
 * hash would add nothing).
 *
 * The page does not get the token: a one-time link becomes a cookie. Both are signed with the token, so a new token ends
 * all links and all pages.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Scope, SCOPES } from "../contract/Command.ts"
import { describe, Terminal } from "./Failure.ts"

const PREFIX = "vox_"
const LINK_MS = 60 * 60_000
const COOKIE_MS = 30 * 24 * 60 * 60_000

const IssuedToken = Schema.Struct({
  name: Schema.String,
  scopes: Schema.Array(Schema.Literals(SCOPES)),
  sha256: Schema.String,
  /** Epoch milliseconds. */
  created: Schema.Finite
})
export type IssuedToken = typeof IssuedToken.Type
const IssuedFile = Schema.fromJsonString(Schema.Array(IssuedToken))

/** Somebody whom the gateway knows. */
export interface Identity {
  readonly name: string
  readonly scopes: ReadonlyArray<Scope>
}

const tokenFile = (home: string) => join(home, "token")
const issuedFile = (home: string) => join(home, "tokens.json")
const fresh = () => `${PREFIX}${randomBytes(32).toString("base64url")}`
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex")

const same = (a: string, b: string): boolean => timingSafeEqual(Buffer.from(sha256(a)), Buffer.from(sha256(b)))

/** Whole or not at all, readable by the owner alone. */
const writePrivate = (home: string, path: string, text: string) => {
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, text, { mode: 0o600 })
  renameSync(draft, path)
}

const usable = <A>(path: string, run: () => A) =>
  Effect.try({
    try: run,
    catch: (cause) => new Terminal({ code: "config.invalid", message: `${path} cannot be used: ${describe(cause)}`, cause })
  })

/** The token of a home, made if there is none. */
export const homeToken = (home: string): Effect.Effect<string, Terminal> =>
  usable(tokenFile(home), () => {
    const path = tokenFile(home)
    if (!existsSync(path)) writePrivate(home, path, `${fresh()}\n`)
    return readFileSync(path, "utf8").trim()
  })

/** Another token in its place: the old one, all links and all pages end. */
export const renewHomeToken = (home: string): Effect.Effect<string, Terminal> =>
  usable(tokenFile(home), () => {
    const token = fresh()
    writePrivate(home, tokenFile(home), `${token}\n`)
    return token
  })

/** Tokens issued to programs, without their secrets. */
export const issuedTokens = (home: string): Effect.Effect<ReadonlyArray<IssuedToken>, Terminal> =>
  usable(issuedFile(home), () =>
    existsSync(issuedFile(home)) ? Schema.decodeUnknownSync(IssuedFile)(readFileSync(issuedFile(home), "utf8")) : []
  )

const save = (home: string, tokens: ReadonlyArray<IssuedToken>) =>
  usable(issuedFile(home), () => writePrivate(home, issuedFile(home), Schema.encodeSync(IssuedFile)(tokens)))

/** Makes a token for a program; it is returned once and not kept. A token of the same name is replaced. */
export const issueToken = Effect.fnUntraced(function* (home: string, name: string, scopes: ReadonlyArray<Scope>) {
  const token = fresh()
  const created = yield* Clock.currentTimeMillis
  const others = (yield* issuedTokens(home)).filter((each) => each.name !== name)
  yield* save(home, [...others, { name, scopes, sha256: sha256(token), created }])
  return token
})

/** Ends a token; false when there is none of that name. */
export const revokeToken = Effect.fnUntraced(function* (home: string, name: string) {
  const tokens = yield* issuedTokens(home)
  const kept = tokens.filter((each) => each.name !== name)
  if (kept.length < tokens.length) yield* save(home, kept)
  return kept.length < tokens.length
})

/** Whose token this is, if anybody's. */
export const identify = Effect.fnUntraced(function* (home: string, token: string) {
  if (same(token, yield* homeToken(home))) return { name: "owner", scopes: SCOPES } satisfies Identity
  const hash = sha256(token)
  const issued = (yield* issuedTokens(home)).find((each) => each.sha256 === hash)
  return issued === undefined ? undefined : ({ name: issued.name, scopes: issued.scopes } satisfies Identity)
})

const signed = (key: string, kind: string, expires: number, nonce: string) =>
  `${expires}.${nonce}.${createHmac("sha256", key).update(`${kind}.${expires}.${nonce}`).digest("base64url")}`

const make = (kind: "link" | "page", lifeMs: number) =>
  Effect.fnUntraced(function* (home: string) {
    const expires = (yield* Clock.currentTimeMillis) + lifeMs
    return signed(yield* homeToken(home), kind, expires, randomBytes(12).toString("base64url"))
  })

/** A code for a one-time link, good for an hour. */
export const linkCode = make("link", LINK_MS)
/** The value of a page's cookie, good for thirty days. */
export const pageCookie = make("page", COOKIE_MS)

const check = (kind: "link" | "page") =>
  Effect.fnUntraced(function* (home: string, value: string) {
    const [expires = "", nonce = ""] = value.split(".")
    const end = Number(expires)
    if (!Number.isSafeInteger(end) || end < (yield* Clock.currentTimeMillis)) return false
    return same(value, signed(yield* homeToken(home), kind, end, nonce))
  })

/** Whether a code is ours and not too old; that it is used once is for the gateway to see to. */
export const isLinkCode = check("link")
export const isPageCookie = check("page")
/** When a code was made, epoch milliseconds. */
export const madeAt = (code: string): number => Number(code.split(".")[0]) - LINK_MS
