/** `models.list`, `models.fetch`, `models.remove`. What is being fetched is known to the process that serves. */
import * as Effect from "effect/Effect"
import { FetchModel, ListModels, type ModelEntry, RemoveModel } from "../../contract/ModelCommands.ts"
import { handler } from "../../kernel/Commands.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { fetchModel, findEntry, listModels, removeModel } from "../../models/index.ts"

type Fetching = NonNullable<ModelEntry["fetching"]>

const running = new Map<string, Fetching>()
const failures = new Map<string, NonNullable<ModelEntry["failed"]>>()

const list = handler(ListModels, () =>
  Effect.gen(function* () {
    // Asked before the disk: a fetch that ends meanwhile is told once more, and never as neither on its way nor there.
    const before = new Map(running)
    const models = yield* listModels()
    return {
      models: models.map((model) => {
        const fetching = before.get(model.name)
        const failed = failures.get(model.name)
        return { ...model, ...(fetching === undefined ? {} : { fetching }), ...(failed === undefined ? {} : { failed }) }
      })
    }
  })
)

const work = (name: string) =>
  fetchModel(name, { onProgress: ({ step, received, total }) => void running.set(name, { step, received, total }) }).pipe(
    Effect.catch(({ code, message }) => Effect.sync(() => void failures.set(name, { code, message }))),
    Effect.ensuring(Effect.sync(() => void running.delete(name)))
  )

const fetch = handler(FetchModel, ({ name }) =>
  Effect.gen(function* () {
    if (findEntry(name) === undefined)
      return yield* new Terminal({ code: "input.missing", message: `There is no model ${name} in the catalogue.` })
    if (running.has(name)) return { name, started: false }
    failures.delete(name)
    running.set(name, { step: "", received: 0, total: 0 })
    // It outlives the request. When the program ends meanwhile, the next fetch goes on where this one was.
    yield* Effect.forkDetach(work(name))
    return { name, started: true }
  })
)

const remove = handler(RemoveModel, ({ name }) =>
  Effect.gen(function* () {
    if (running.has(name)) return yield* new Terminal({ code: "session.busy", message: `${name} is being fetched.` })
    return { name, bytes: yield* removeModel(name) }
  })
)

export const modelHandlers = [list, fetch, remove]
