/** Every command there is: one line per area. `AsyncApi.ts` documents them, the gateway serves them over HTTP. */
import type { CommandSpec } from "./Command.ts"
import * as Actor from "./ActorCommands.ts"
import * as Audit from "./AuditCommands.ts"
import * as Bundle from "./BundleCommands.ts"
import * as Capability from "./CapabilityCommands.ts"
import * as Config from "./ConfigCommands.ts"
import * as Conversation from "./ConversationCommands.ts"
import * as Creds from "./CredsCommands.ts"
import * as Debug from "./DebugCommands.ts"
import * as Detection from "./DetectionCommands.ts"
import * as Dlq from "./DlqCommands.ts"
import * as Event from "./EventCommands.ts"
import * as History from "./HistoryCommands.ts"
import * as Instance from "./InstanceCommands.ts"
import * as Job from "./JobCommands.ts"
import * as Key from "./KeyCommands.ts"
import * as Model from "./ModelCommands.ts"
import * as Provider from "./ProviderCommands.ts"
import * as Recording from "./RecordingCommands.ts"
import * as Session from "./SessionCommands.ts"
import * as Speaker from "./SpeakerCommands.ts"
import * as Talk from "./TalkCommands.ts"
import * as Timer from "./TimerCommands.ts"
import * as Transcript from "./TranscriptCommands.ts"
import * as Webhook from "./WebhookCommands.ts"

const isCommand = (value: unknown): value is CommandSpec =>
  typeof value === "object" && value !== null && "name" in value && "request" in value && "reply" in value

/** The commands among what a module exports, by name: Node and Vite list a module's exports in different orders. */
const commandsOf = (module: Readonly<Record<string, unknown>>): ReadonlyArray<CommandSpec> =>
  Object.values(module)
    .filter(isCommand)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))

export const COMMANDS: ReadonlyArray<CommandSpec> = [
  ...commandsOf(Actor),
  ...commandsOf(Audit),
  ...commandsOf(Bundle),
  ...commandsOf(Capability),
  ...commandsOf(Config),
  ...commandsOf(Conversation),
  ...commandsOf(Creds),
  ...commandsOf(Debug),
  ...commandsOf(Detection),
  ...commandsOf(Dlq),
  ...commandsOf(Event),
  ...commandsOf(History),
  ...commandsOf(Instance),
  ...commandsOf(Job),
  ...commandsOf(Key),
  ...commandsOf(Model),
  ...commandsOf(Provider),
  ...commandsOf(Recording),
  ...commandsOf(Session),
  ...commandsOf(Speaker),
  ...commandsOf(Talk),
  ...commandsOf(Timer),
  ...commandsOf(Transcript),
  ...commandsOf(Webhook)
]
