/** Calls of other programs, as commands. */
import * as Effect from "effect/Effect"
import { Detection } from "../../actors/capture/index.ts"
import { DetectionAnswer, DetectionStatus } from "../../contract/DetectionCommands.ts"
import { handler } from "../../kernel/Commands.ts"

export const detectionHandlers = [
  handler(DetectionStatus, () => Effect.flatMap(Detection, (detection) => detection.status)),
  handler(DetectionAnswer, ({ call, record }) => Effect.flatMap(Detection, (detection) => detection.answer(call, record)))
]
