/** The bus of a running program, in the test's own process: commands and events without the start of a program each. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { readFileSync } from "node:fs"
import type { CommandSpec } from "../../contract/Command.ts"
import type { StreamName } from "../../contract/Subjects.ts"
import type { Blobs } from "../../kernel/Blobs.ts"
import { Bus } from "../../kernel/Bus.ts"
import { call } from "../../kernel/Commands.ts"
import type { Frames } from "../../kernel/Frames.ts"
import { busLayer, credentialsFile } from "../../launcher/BusAccess.ts"
import type { Running } from "./program.ts"

export interface BusOf {
  readonly services: Context.Context<Bus | Blobs | Frames>
  readonly ask: <Request extends CommandSpec["request"], Reply extends CommandSpec["reply"]>(
    spec: CommandSpec<Request, Reply>,
    request: Request["Type"]
  ) => Promise<Reply["Type"]>
  /** What the log has on a subject filter: body, sequence and subject. */
  readonly events: (filter: string) => Promise<ReadonlyArray<any>>
  readonly publish: (subject: string, text: string) => Promise<unknown>
  readonly close: () => Promise<void>
}

/** As the operator of the instance. */
export const busOf = async (voxbus: Running): Promise<BusOf> => {
  const { operator }: Record<string, string> = JSON.parse(readFileSync(credentialsFile(voxbus.home), "utf8")).users
  const scope = Scope.makeUnsafe()
  const layer = busLayer({ url: voxbus.bus, user: "operator", password: operator ?? "", name: "test" })
  const services = await Effect.runPromise(Layer.buildWithScope(layer, scope))
  const bus = Context.get(services, Bus)
  return {
    services,
    ask: (spec, request) => Effect.runPromise(Effect.provide(call(spec, request), services)),
    events: async (filter) => {
      const stream: StreamName = filter.split(".")[2] === "call" ? "CALLS" : "ASSISTANT"
      const records = await Effect.runPromise(Stream.runCollect(bus.read(stream, { filters: [filter] })))
      return records.map(({ data, sequence, subject }) => ({ sequence, subject, event: JSON.parse(new TextDecoder().decode(data)) }))
    },
    publish: (subject, text) => Effect.runPromise(bus.publish({ subject, data: new TextEncoder().encode(text) })),
    close: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

/** Asks until there is an answer, for about `seconds`. */
export const until = async <A>(ask: () => Promise<A | undefined>, seconds = 20): Promise<A> => {
  for (let tries = 0; tries < seconds * 20; tries += 1) {
    const found = await ask()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error("it did not come")
}
