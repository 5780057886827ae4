/** `webhooks.add`, `webhooks.list`, `webhooks.remove`, `webhooks.test`. Only the first answer has the secret. */
import * as Effect from "effect/Effect"
import { AddWebhook, ListWebhooks, RemoveWebhook, TestWebhook } from "../../contract/WebhookCommands.ts"
import { Webhooks } from "../../gateway/webhooks/Webhooks.ts"
import { handler } from "../../kernel/Commands.ts"

const add = handler(AddWebhook, (wish) => Effect.flatMap(Webhooks, (webhooks) => webhooks.add(wish)))

const list = handler(ListWebhooks, () =>
  Effect.gen(function* () {
    const found = yield* (yield* Webhooks).list
    return { webhooks: found.map(({ webhook: { secret: _secret, ...webhook }, ...progress }) => ({ ...webhook, ...progress })) }
  })
)

const remove = handler(RemoveWebhook, ({ id }) => Effect.flatMap(Webhooks, (webhooks) => Effect.as(webhooks.remove(id), { id })))

const test = handler(TestWebhook, ({ id }) =>
  Effect.flatMap(Webhooks, (webhooks) => Effect.map(webhooks.test(id), (result) => ({ id, ...result })))
)

export const webhookHandlers = [add, list, remove, test]
