/**
 * The contract as AsyncAPI 3 and JSON Schema (draft 2020-12), made from the schemas. `npm run contract` writes the files
 * in `generated/`; a test fails when they are not what this makes.
 */
import * as Schema from "effect/Schema"
import { ERRORS } from "./Errors.ts"
import * as Events from "./Events.ts"
import { type CommandSpec, commandSubject } from "./Command.ts"
import { COMMANDS } from "./Commands.ts"
import { HEADERS, STREAMS } from "./Subjects.ts"

type Json = { readonly [key: string]: unknown }

/** Every event by name, with the tail of its subject after `<noun>.<verb>`. */
const SESSION = "{mode}.{session}"
const TAILS: Readonly<Record<Events.EventTag, string>> = {
  "job.queued": SESSION,
  "job.started": SESSION,
  "job.arranged": `${SESSION}.{revision}`,
  "job.cancelled": SESSION,
  "session.opened": SESSION,
  "session.keyed": "{mode}.{key}",
  "session.started": SESSION,
  "session.paused": `${SESSION}.{n}`,
  "session.resumed": `${SESSION}.{n}`,
  "session.recovering": `${SESSION}.{n}`,
  "session.discarded": `${SESSION}.{n}`,
  "session.restored": `${SESSION}.{n}`,
  "session.warned": `${SESSION}.{n}`,
  "language.pinned": SESSION,
  "session.closed": SESSION,
  "audio.captured": `${SESSION}.{unit}`,
  "audio.normalized": `${SESSION}.{unit}`,
  "audio.previewed": `${SESSION}.{unit}.{revision}`,
  "audio.completed": SESSION,
  "text.transcribed": `${SESSION}.{unit}`,
  "text.rejected": `${SESSION}.{unit}`,
  "text.partial": `${SESSION}.{unit}.{revision}`,
  "reply.drafted": `${SESSION}.{unit}.{sentence}`,
  "reply.requested": `${SESSION}.{unit}`,
  "reply.ready": `${SESSION}.{unit}`,
  "speech.synthesized": `${SESSION}.{unit}.{sentence}`,
  "speech.heard": `${SESSION}.{unit}.{generation}`,
  "speech.interrupted": `${SESSION}.{unit}.{generation}`,
  "turn.cancelled": `${SESSION}.{unit}.{generation}`,
  "tool.called": `${SESSION}.{unit}.{call}`,
  "tool.finished": `${SESSION}.{unit}.{call}`,
  "session.cleared": `${SESSION}.{unit}`,
  "transcript.requested": `${SESSION}.{version}`,
  "transcript.completed": `${SESSION}.{version}`,
  "transcript.edited": `${SESSION}.{edit}`,
  "keyword.spotted": `${SESSION}.{unit}.{number}`,
  "session.pinned": `${SESSION}.{edit}`,
  "tombstone.written": SESSION,
  "transcript.diarized": `${SESSION}.{version}`,
  "speaker.renamed": `${SESSION}.{revision}`,
  "bundle.ready": `${SESSION}.{version}`,
  "job.failed": SESSION,
  "error.raised": `${SESSION}.{actor}`,
  "health.changed": "host.{actor}",
  "call.detected": "host.{application}",
  "lag.changed": "host.{actor}"
}

const PARAMETERS: Readonly<Record<string, Json>> = {
  mode: { enum: ["assistant", "call"], description: "Which product the session belongs to." },
  session: { description: "ULID of the session." },
  key: { description: "SHA-256 of an idempotency key." },
  n: { description: "How many of this kind the session has by then, six digits." },
  unit: {
    description:
      "Chunk (call) or turn (assistant), six digits from 000001; after it `v` and the version of the transcript from the second on."
  },
  sentence: { description: "Sentence of the answer, six digits." },
  revision: { description: "Revision of the hypothesis, of the place in the queue or of the name, six digits." },
  generation: { description: "Generation of the turn, six digits." },
  version: { description: "Version of the transcript, six digits." },
  edit: { description: "Number of the edit in the session, six digits." },
  number: { description: "Number of the hit in the chunk, six digits." },
  call: { description: "Number of the call in the turn, six digits." },
  actor: {
    description: "Name of the actor; after it the unit where one failed, the event that did, and the dead letter that was tried again."
  },
  application: { description: "Name of the application, as one token." }
}

const members = Events.Event.members

/** `audio.captured` -> `AudioCaptured`. */
const title = (tag: string) =>
  tag
    .split(".")
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join("")

/** The JSON Schema of an event, a request or a reply, self-contained. */
const schemaOf = (member: Schema.Top): Json => {
  const { schema, definitions } = Schema.toJsonSchemaDocument(member)
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    ...schema,
    ...(Object.keys(definitions).length === 0 ? {} : { $defs: definitions })
  }
}

/** File name below `schemas/` to its content. */
export const jsonSchemas = (): ReadonlyMap<string, Json> =>
  new Map([
    ...members.map((member) => [`${member.fields._tag.schema.literal}.json`, schemaOf(member)] as const),
    ...COMMANDS.flatMap(({ name, request, reply }) => [
      [`cmd.${name}.request.json`, schemaOf(request)] as const,
      [`cmd.${name}.reply.json`, schemaOf(reply)] as const
    ])
  ])

/** A command as a channel with two messages, and the operation that serves it. */
const commandChannel = (spec: CommandSpec): Json => ({
  address: commandSubject(spec),
  description: spec.means,
  messages: {
    request: { name: `${spec.name}.request`, payload: { $ref: `./schemas/cmd.${spec.name}.request.json` } },
    reply: { name: `${spec.name}.reply`, payload: { $ref: `./schemas/cmd.${spec.name}.reply.json` } }
  }
})

const commandOperation = ({ name }: CommandSpec): Json => ({
  action: "receive",
  channel: { $ref: `#/channels/cmd.${name}` },
  messages: [{ $ref: `#/channels/cmd.${name}/messages/request` }],
  reply: { channel: { $ref: `#/channels/cmd.${name}` }, messages: [{ $ref: `#/channels/cmd.${name}/messages/reply` }] }
})

const channel = (tag: Events.EventTag): Json => {
  const address = `${tag}.${TAILS[tag]}`
  const names = [...address.matchAll(/\{(\w+)\}/g)].flatMap(([, name]) => (name === undefined ? [] : [name]))
  return {
    address,
    messages: { [title(tag)]: { $ref: `#/components/messages/${title(tag)}` } },
    parameters: Object.fromEntries(names.map((name) => [name, PARAMETERS[name]]))
  }
}

/** The whole contract as one AsyncAPI document. */
export const asyncApi = (version: string): Json => {
  const tags = members.map((member) => member.fields._tag.schema.literal)
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Voxbus",
      version,
      license: { name: "MIT" },
      description:
        "Events of the Voxbus log on NATS JetStream. Bodies are JSON; positions are integer samples on the session's 16 kHz timeline."
    },
    defaultContentType: "application/json",
    servers: {
      local: { host: "127.0.0.1:4222", protocol: "nats", description: "The embedded server; its port is in instance.json of VOXBUS_HOME." }
    },
    channels: Object.fromEntries([
      ...tags.map((tag) => [tag, channel(tag)] as const),
      ...COMMANDS.map((spec) => [`cmd.${spec.name}`, commandChannel(spec)] as const)
    ]),
    operations: Object.fromEntries([
      ...tags.map((tag) => [`on${title(tag)}`, { action: "receive", channel: { $ref: `#/channels/${tag}` } }] as const),
      ...COMMANDS.map((spec) => [`serve${title(spec.name)}`, commandOperation(spec)] as const)
    ]),
    components: {
      messages: Object.fromEntries(
        tags.map((tag) => [
          title(tag),
          { name: tag, title: title(tag), headers: { $ref: "#/components/schemas/Headers" }, payload: { $ref: `./schemas/${tag}.json` } }
        ])
      ),
      schemas: {
        Headers: {
          type: "object",
          properties: {
            [HEADERS.messageId]: { type: "string", description: "Deterministic id: publishing the same event again stores nothing." },
            [HEADERS.traceparent]: { type: "string", description: "W3C trace context; one trace per call or turn." },
            [HEADERS.actor]: { type: "string", description: "Who published it." },
            [HEADERS.cause]: { type: "string", description: "stream:sequence of the event this one follows from." },
            [HEADERS.generation]: { type: "string", description: "Generation of the turn (assistant)." },
            [HEADERS.retry]: { type: "string", description: "Number of the dead letter that this is another try of." }
          }
        }
      }
    },
    "x-streams": STREAMS,
    "x-errors": ERRORS
  }
}
