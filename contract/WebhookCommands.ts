/** Webhooks: chosen events posted to an address, signed, from the log on. */
import * as Schema from "effect/Schema"
import { command } from "./Command.ts"
import { EVENT_TAGS, type EventTag } from "./Events.ts"

const Id = Schema.String.check(Schema.isPattern(/^[0-9a-f]{12}$/))
const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

export const Webhook = Schema.Struct({
  id: Id,
  /** `https://...`; `http` on this machine and private networks only. */
  url: Schema.String.check(Schema.isMaxLength(2_000)),
  events: Schema.NonEmptyArray(Schema.Literals(EVENT_TAGS as [EventTag, ...Array<EventTag>])),
  /** Of which sessions. Events of the host (`health.changed` ...) have none. */
  mode: Schema.Literals(["call", "assistant", "both"]),
  /** Whole events, words included. Without it: which session, which numbers, which codes. */
  content: Schema.Boolean,
  /** Addresses of this machine and of private networks are allowed. */
  allowPrivate: Schema.Boolean,
  /** ISO 8601. */
  created: Schema.String
})
export type Webhook = typeof Webhook.Type

const { url, events, mode, content, allowPrivate } = Webhook.fields

export const AddWebhook = command("webhooks.add", {
  request: Schema.Struct({
    url,
    events,
    mode: Schema.optionalKey(mode),
    content: Schema.optionalKey(content),
    allowPrivate: Schema.optionalKey(allowPrivate)
  }),
  reply: Schema.Struct({
    ...Webhook.fields,
    /** What its deliveries are signed with (Standard Webhooks, `whsec_...`); told this once. */
    secret: Schema.String
  }),
  changes: true,
  admin: true,
  // An address may hold a token.
  secret: true,
  means: "Posts events of these kinds to an address from now on, until the receiver takes them."
})

export const ListWebhooks = command("webhooks.list", {
  request: Schema.Struct({}),
  reply: Schema.Struct({
    webhooks: Schema.Array(
      Schema.Struct({
        ...Webhook.fields,
        /** Events that are not delivered yet. */
        waiting: Count,
        /** Since the program started: taken by the receiver; failed tries in a row; why the last one failed. */
        delivered: Count,
        failing: Count,
        problem: Schema.optionalKey(Schema.String)
      })
    )
  }),
  changes: false,
  admin: true,
  means: "The webhooks and how their deliveries go; never their secrets."
})

export const RemoveWebhook = command("webhooks.remove", {
  request: Schema.Struct({ id: Id }),
  reply: Schema.Struct({ id: Id }),
  changes: true,
  admin: true,
  means: "Ends a webhook; what it has not delivered is left."
})

export const TestWebhook = command("webhooks.test", {
  request: Schema.Struct({ id: Id }),
  reply: Schema.Struct({ id: Id, status: Schema.Int, ms: Count }),
  changes: true,
  admin: true,
  means: "Posts `webhook.test` now, once; fails with what the receiver answered."
})
