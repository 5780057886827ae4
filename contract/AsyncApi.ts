/**
 * The contract as AsyncAPI 3 and JSON Schema (draft 2020-12), made from the schemas. `npm run contract` writes the files
 * in `generated/`; a test fails when they are not what this makes.
 */
import * as Schema from "effect/Schema"
import { ERRORS } from "./Errors.ts"
import * as Events from "./Events.ts"
import { HEADERS, STREAMS } from "./Subjects.ts"

type Json = { readonly [key: string]: unknown }

/** Every event by name, with the tail of its subject after `<noun>.<verb>`. */
const SESSION = "{mode}.{session}"
const TAILS: Readonly<Record<Events.EventTag, string>> = {
  "job.queued": SESSION,
  "session.opened": SESSION,
  "session.closed": SESSION,
  "audio.captured": `${SESSION}.{unit}`,
  "audio.normalized": `${SESSION}.{unit}`,
  "audio.completed": SESSION,
  "text.transcribed": `${SESSION}.{unit}`,
  "text.rejected": `${SESSION}.{unit}`,
  "text.partial": `${SESSION}.{unit}.{revision}`,
  "reply.drafted": `${SESSION}.{unit}.{sentence}`,
  "reply.ready": `${SESSION}.{unit}`,
  "speech.synthesized": `${SESSION}.{unit}.{sentence}`,
  "speech.heard": `${SESSION}.{unit}.{generation}`,
  "speech.interrupted": `${SESSION}.{unit}.{generation}`,
  "turn.cancelled": `${SESSION}.{unit}.{generation}`,
  "transcript.completed": `${SESSION}.{version}`,
  "bundle.ready": `${SESSION}.{version}`,
  "job.failed": SESSION,
  "error.raised": `${SESSION}.{actor}`,
  "health.changed": "host.{actor}",
  "call.detected": "host.{application}"
}

const PARAMETERS: Readonly<Record<string, Json>> = {
  mode: { enum: ["assistant", "call"], description: "Which product the session belongs to." },
  session: { description: "ULID of the session." },
  unit: { description: "Chunk (call) or turn (assistant), six digits from 000001." },
  sentence: { description: "Sentence of the answer, six digits." },
  revision: { description: "Revision of the hypothesis, six digits." },
  generation: { description: "Generation of the turn, six digits." },
  version: { description: "Version of the transcript, six digits." },
  actor: { description: "Name of the actor; with a unit after it where one unit failed." },
  application: { description: "Name of the application, as one token." }
}

const members = Events.Event.members

/** `audio.captured` -> `AudioCaptured`. */
const title = (tag: string) =>
  tag
    .split(".")
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join("")

/** The JSON Schema of one event, self-contained. */
const schemaOf = (member: (typeof members)[number]): Json => {
  const { schema, definitions } = Schema.toJsonSchemaDocument(member)
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    ...schema,
    ...(Object.keys(definitions).length === 0 ? {} : { $defs: definitions })
  }
}

/** File name below `schemas/` to its content. */
export const jsonSchemas = (): ReadonlyMap<string, Json> =>
  new Map(members.map((member) => [`${member.fields._tag.schema.literal}.json`, schemaOf(member)]))

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
    channels: Object.fromEntries(tags.map((tag) => [tag, channel(tag)])),
    operations: Object.fromEntries(tags.map((tag) => [`on${title(tag)}`, { action: "receive", channel: { $ref: `#/channels/${tag}` } }])),
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
            [HEADERS.generation]: { type: "string", description: "Generation of the turn (assistant)." }
          }
        }
      }
    },
    "x-streams": STREAMS,
    "x-errors": ERRORS
  }
}
