/** `voxbus webhooks add | list | remove | test`: events of the log posted to an address. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { AddWebhook, ListWebhooks, RemoveWebhook, TestWebhook } from "../../contract/WebhookCommands.ts"
import { describe, Terminal } from "../../kernel/Failure.ts"
import { invoke } from "../Invoke.ts"
import { jsonFlag, note, printJson, printLine } from "../Output.ts"

const idArgument = Argument.String("id").pipe(Argument.withDescription("Of the webhook, as `webhooks list` shows it"))

const decodeEvents = Schema.decodeUnknownEffect(AddWebhook.request.fields.events)

const add = Command.make(
  "add",
  {
    url: Argument.String("url").pipe(Argument.withDescription("Where events are posted, https://...")),
    events: Flag.String("events").pipe(Flag.withDescription("Such as bundle.ready,error.raised")),
    mode: Flag.Literals("mode", ["call", "assistant", "both"]).pipe(
      Flag.withDescription("Of calls, of conversations, or of both"),
      Flag.withDefault("call")
    ),
    content: Flag.Boolean("content").pipe(
      Flag.withDescription("Whole events, with the words; otherwise only which session and how it went"),
      Flag.withDefault(false)
    ),
    allowPrivate: Flag.Boolean("allow-private").pipe(
      Flag.withDescription("The address may be of this machine or of a private network"),
      Flag.withDefault(false)
    ),
    json: jsonFlag
  },
  Effect.fn(function* ({ url, events: text, mode, content, allowPrivate, json }) {
    const events = yield* decodeEvents(text.split(",").map((each) => each.trim())).pipe(
      Effect.mapError((cause) => new Terminal({ code: "command.usage", message: `--events: ${describe(cause)}` }))
    )
    const reply = yield* invoke(AddWebhook, { url, events, mode, content, allowPrivate })
    if (json) return yield* printJson(reply)
    yield* printLine(`${reply.id}\n${reply.secret}`)
    yield* note("The second line is what deliveries are signed with (Standard Webhooks). It is shown once.")
  }, Effect.scoped)
).pipe(
  Command.withDescription("Post events of these kinds to an address from now on"),
  Command.withExamples([
    {
      command: "voxbus webhooks add https://example.org/hooks --events bundle.ready,error.raised",
      description: "Finished calls and faults"
    }
  ])
)

const list = Command.make(
  "list",
  { json: jsonFlag },
  Effect.fn(function* ({ json }) {
    const { webhooks } = yield* invoke(ListWebhooks, {})
    for (const each of webhooks) {
      const state = each.failing === 0 ? `${each.delivered} delivered` : `failing ${each.failing} times: ${each.problem ?? ""}`
      yield* json ? printJson(each) : printLine(`${each.id}  ${each.url}\n  ${each.events.join(",")}  ${each.waiting} waiting, ${state}`)
    }
  }, Effect.scoped)
).pipe(Command.withDescription("The webhooks and how their deliveries go; never their secrets"))

const remove = Command.make(
  "remove",
  { id: idArgument, json: jsonFlag },
  Effect.fn(function* ({ id, json }) {
    const reply = yield* invoke(RemoveWebhook, { id })
    yield* json ? printJson({ ...reply, removed: true }) : printLine(`${id} removed`)
  }, Effect.scoped)
).pipe(Command.withDescription("End a webhook"))

const test = Command.make(
  "test",
  { id: idArgument, json: jsonFlag },
  Effect.fn(function* ({ id, json }) {
    const reply = yield* invoke(TestWebhook, { id })
    yield* json ? printJson(reply) : printLine(`${id}: the receiver answered ${reply.status} after ${reply.ms} ms`)
  }, Effect.scoped)
).pipe(Command.withDescription("Post webhook.test now"))

export const webhooks = Command.make("webhooks").pipe(
  Command.withDescription("Post chosen events of the log to an address, signed and never lost"),
  Command.withSubcommands([add, list, remove, test])
)
