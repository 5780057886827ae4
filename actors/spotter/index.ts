/**
 * The spotter: says when a keyword of the session's configuration was said, chunk by chunk, so in a call that goes on it
 * is known as soon as the chunk is transcribed. A chunk that is transcribed again later alerts nobody.
 */
import * as Stream from "effect/Stream"
import type { EventOf } from "../../contract/Events.ts"
import * as Actor from "../../kernel/Actor.ts"
import { spot } from "./Spotting.ts"

const alerts = ({ mode, session, unit, segments, config }: EventOf<"text.transcribed">): ReadonlyArray<EventOf<"keyword.spotted">> =>
  spot(segments, config.keywords).map((spotted, index) => ({
    _tag: "keyword.spotted",
    v: 1,
    mode,
    session,
    unit,
    number: index + 1,
    ...spotted
  }))

export const spotterActor = Actor.make({
  name: "spotter",
  logicVersion: 1,
  consumes: [{ mode: "call", tags: ["text.transcribed"], concurrency: 1 }],
  publishes: ["keyword.spotted"],
  handle: (event) => (event._tag === "text.transcribed" && (event.version ?? 1) === 1 ? Stream.fromIterable(alerts(event)) : Stream.empty)
})
