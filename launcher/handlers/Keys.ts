/** `keys.set`, `keys.test`, `keys.remove`, `keys.list`. No answer, failure or log line of these holds a key. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { ListKeys, RemoveKey, SetKey, TestKey } from "../../contract/KeyCommands.ts"
import { handler } from "../../kernel/Commands.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { findKey, masked, removeKey, storeKey } from "../../kernel/Keys.ts"
import { ask, endpointOf, NAMES } from "../providers/Endpoints.ts"

const set = handler(SetKey, ({ name, key: text, check = true }) =>
  Effect.gen(function* () {
    const key = Redacted.make(text)
    if (check) yield* ask(name, yield* endpointOf(name, key))
    return { name, place: yield* storeKey(name, key), checked: check }
  })
)

const test = handler(TestKey, ({ name }) =>
  Effect.gen(function* () {
    const found = yield* findKey(name)
    if (found === undefined)
      return yield* new Terminal({ code: "key.missing", message: `No key ${name} is set. Run: npx voxbus keys set ${name}` })
    return { name, place: found.place, detail: yield* ask(name, yield* endpointOf(name)) }
  })
)

const remove = handler(RemoveKey, ({ name }) => Effect.map(removeKey(name), (removed) => ({ name, removed })))

const list = handler(ListKeys, () =>
  Effect.map(
    Effect.forEach(NAMES, (name) =>
      Effect.map(findKey(name), (found) =>
        found === undefined ? { name, set: false } : { name, set: true, place: found.place, masked: masked(found.key) }
      )
    ),
    (keys) => ({ keys })
  )
)

export const keyHandlers = [set, test, remove, list]
