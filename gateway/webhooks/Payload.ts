/**
 * What a webhook's receiver gets: the event as `{ type, timestamp, data }`, signed as Standard Webhooks say
 * (standardwebhooks.com): HMAC-SHA256 over `id.timestamp.body`, so any library for that checks it.
 */
import { createHmac } from "node:crypto"
import type { Recorded } from "../../kernel/Bus.ts"
import { HEADERS } from "../../contract/Subjects.ts"

const PREFIX = "whsec_"

/** The key as Standard Webhooks write it. */
export const secretOf = (key: Uint8Array): string => `${PREFIX}${Buffer.from(key).toString("base64")}`

/** Texts of events that tell how something went, not what was said, by whom or where it is kept. */
const STRUCTURE: ReadonlyArray<string> = [
  "_tag",
  "mode",
  "session",
  "actor",
  "code",
  "reason",
  "status",
  "level",
  "kind",
  "engine",
  "model",
  "language"
]

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Numbers, booleans and the texts above, one level deep. */
export const structureOf = (event: unknown): Readonly<Record<string, unknown>> =>
  isObject(event)
    ? Object.fromEntries(
        Object.entries(event).filter(
          ([name, value]) =>
            typeof value === "number" || typeof value === "boolean" || (typeof value === "string" && STRUCTURE.includes(name))
        )
      )
    : {}

/** @param content the whole event, or its structure alone */
export const payloadOf = ({ stream, sequence, subject, time, headers, data }: Recorded, content: boolean) => {
  const event: unknown = JSON.parse(new TextDecoder().decode(data))
  return {
    type: subject.split(".").slice(0, 2).join("."),
    timestamp: new Date(time).toISOString(),
    data: {
      stream,
      sequence,
      subject,
      actor: headers[HEADERS.actor] ?? "",
      cause: headers[HEADERS.cause] ?? "",
      event: content ? event : structureOf(event)
    }
  }
}

/**
 * Headers of a delivery.
 *
 * @param id the same each time the same event is tried
 * @param now epoch milliseconds of this try
 */
export const signedHeaders = (secret: string, id: string, now: number, body: string): Readonly<Record<string, string>> => {
  const timestamp = String(Math.floor(now / 1000))
  const key = Buffer.from(secret.slice(PREFIX.length), "base64")
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")
  return {
    "content-type": "application/json",
    "user-agent": "voxbus",
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${signature}`
  }
}
