/** What serves the commands of the contract: one line per area. */
import * as Layer from "effect/Layer"
import type { Handler } from "../kernel/Commands.ts"
import { Detection, Recordings } from "../actors/capture/index.ts"
import { Webhooks } from "../gateway/webhooks/Webhooks.ts"
import type { Library } from "../library/Library.ts"
import { actorHandlers } from "./handlers/Actors.ts"
import { auditHandlers } from "./handlers/Audit.ts"
import { bundleHandlers } from "./handlers/Bundles.ts"
import { capabilityHandlers } from "./handlers/Capabilities.ts"
import { configHandlers } from "./handlers/Config.ts"
import { conversationHandlers } from "./handlers/Conversation.ts"
import { credsHandlers } from "./handlers/Creds.ts"
import { debugHandlers } from "./handlers/Debug.ts"
import { detectionHandlers } from "./handlers/Detection.ts"
import { dlqHandlers } from "./handlers/Dlq.ts"
import { eventHandlers } from "./handlers/Events.ts"
import { exportHandlers } from "./handlers/Exports.ts"
import { historyHandlers } from "./handlers/History.ts"
import { importHandlers } from "./handlers/Import.ts"
import { instanceHandlers } from "./handlers/Instance.ts"
import { jobHandlers } from "./handlers/Jobs.ts"
import { keyHandlers } from "./handlers/Keys.ts"
import { modelHandlers } from "./handlers/Models.ts"
import { providerHandlers } from "./handlers/Providers.ts"
import { recordingHandlers } from "./handlers/Recording.ts"
import { sessionHandlers } from "./handlers/Sessions.ts"
import { speakerHandlers } from "./handlers/Speakers.ts"
import { talkHandlers } from "./handlers/Talk.ts"
import { transcriptHandlers } from "./handlers/Transcripts.ts"
import { webhookHandlers } from "./handlers/Webhooks.ts"
import type { BusUsers } from "./BusUsers.ts"
import { Talk } from "./conversation/Talk.ts"
import type { Fleet } from "./Fleet.ts"
import type { Base } from "./Registry.ts"

/** What the launcher gives them. */
export type Served = Base | Library | Fleet | BusUsers

/** What handlers share with each other and with the gateway, beyond what every actor has. */
export type Shared = Recordings | Detection | Talk | Webhooks

/** Built once in the process that serves. */
export const shared: Layer.Layer<Shared, never, Base> = Layer.mergeAll(
  Detection.layer.pipe(Layer.provideMerge(Recordings.layer)),
  Talk.layer,
  Webhooks.layer
)

export const HANDLERS: ReadonlyArray<Handler<Served | Shared>> = [
  ...actorHandlers,
  ...auditHandlers,
  ...bundleHandlers,
  ...capabilityHandlers,
  ...configHandlers,
  ...conversationHandlers,
  ...credsHandlers,
  ...debugHandlers,
  ...detectionHandlers,
  ...dlqHandlers,
  ...eventHandlers,
  ...exportHandlers,
  ...historyHandlers,
  ...importHandlers,
  ...instanceHandlers,
  ...jobHandlers,
  ...keyHandlers,
  ...modelHandlers,
  ...providerHandlers,
  ...recordingHandlers,
  ...sessionHandlers,
  ...speakerHandlers,
  ...talkHandlers,
  ...transcriptHandlers,
  ...webhookHandlers
]
