/** Text of a socket to a client's message. A failure says which of the three things is wrong: JSON, type or fields. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { describe, Terminal } from "../kernel/Failure.ts"
import { ClientMessage } from "./Protocol.ts"

const TYPES: ReadonlyArray<string> = ClientMessage.members.map((member) => member.fields.type.literal)

const decodeFields = Schema.decodeUnknownEffect(ClientMessage)
const Tagged = Schema.is(Schema.Struct({ type: Schema.String }))

const invalid = (message: string, cause?: unknown) =>
  new Terminal({ code: "input.invalid", message, ...(cause === undefined ? {} : { cause }) })

/** Fails with `input.invalid`; the message is for the one who wrote the client. */
export const parse = Effect.fnUntraced(function* (text: string): Effect.fn.Return<ClientMessage, Terminal> {
  const value = yield* Effect.try({
    try: () => JSON.parse(text) as unknown,
    catch: (cause) => invalid(`The message is not JSON: ${describe(cause)}`, cause)
  })
  if (!Tagged(value)) return yield* invalid(`The message is not a JSON object with a "type" (${TYPES.join(", ")}).`)
  if (!TYPES.includes(value.type))
    return yield* invalid(`There is no message type "${value.type.slice(0, 60)}"; there are ${TYPES.join(", ")}.`)
  return yield* decodeFields(value).pipe(
    Effect.mapError((cause) => invalid(`The fields of "${value.type}" are not valid: ${cause.message}`, cause))
  )
})
