/**
 * What a shadow works with: it reads the log like everybody, and everything that it publishes goes to the stream
 * `SHADOW`: no session, no dead letter and no health of the real actor is touched. Its audio goes into a folder.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { shadowSubject } from "../../contract/Subjects.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { Bus } from "../../kernel/Bus.ts"
import type { Cores } from "../../kernel/Cores.ts"
import { Terminal } from "../../kernel/Failure.ts"
import type { Frames } from "../../kernel/Frames.ts"
import { Settings } from "../../kernel/Settings.ts"
import type { Override } from "../replay/Override.ts"
import { blobsAside } from "../replay/Scratch.ts"
import { configOf, SHADOWED, shadowName } from "./Shadow.ts"

/** A bus that appends only to the side stream of one actor. */
export const busAside = (bus: (typeof Bus)["Service"], actor: string): (typeof Bus)["Service"] =>
  Bus.of({
    ...bus,
    publish: ({ subject, once, ...message }) =>
      bus.publish({
        ...message,
        subject: shadowSubject(actor, subject),
        ...(once === undefined ? {} : { once: shadowSubject(actor, once) })
      }),
    shout: () => Effect.void
  })

/** Services of the current context for a shadow; its consumers go when the scope closes. */
export const shadowServices = Effect.fnUntraced(function* (actor: string, shadow: Override) {
  if (!SHADOWED.some((each) => each === actor)) {
    const message = `${actor} cannot have a shadow: it would write files or open sessions. ${SHADOWED.join(", ")} can.`
    return yield* new Terminal({ code: "command.usage", message })
  }
  const services = yield* Effect.context<Bus | Blobs | Frames | Cores>()
  const settings = yield* Settings
  const bus = Context.get(services, Bus)
  yield* Effect.addFinalizer(() =>
    Effect.forEach(["CALLS", "ASSISTANT"] as const, (stream) => bus.forget({ stream, durable: shadowName(actor) })).pipe(
      Effect.timeoutOption("2 seconds"),
      Effect.ignore
    )
  )
  const session = yield* configOf(actor, settings.session, shadow)
  return services.pipe(
    Context.add(Bus, busAside(bus, actor)),
    Context.add(Blobs, yield* blobsAside),
    // Which model it loads before the first event.
    Context.add(Settings, { ...settings, session })
  )
})
