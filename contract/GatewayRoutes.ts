/** What the gateway serves beside the commands, for the OpenAPI document. */

const text = (name: string, means: string, place: "query" | "path" | "header" = "query") => ({
  name,
  in: place,
  required: place === "path",
  description: means,
  schema: { type: "string" }
})
const session = { name: "session", in: "path", required: true, schema: { type: "string", pattern: "^[0-9A-HJKMNP-TV-Z]{26}$" } }
const range = text("range", "`bytes=first-last`: a part of it.", "header")
const binary = { schema: { type: "string", format: "binary" } }
const problem = { $ref: "#/components/responses/Problem" }
const asked = {
  "206": { description: "The part that was asked for." },
  "304": { description: "As it was." },
  "416": { description: "The range begins after the end." },
  default: problem
}

const fields = {
  title: { type: "string" },
  ticket: { type: "string", pattern: "^[A-Za-z0-9_-]{1,64}$" },
  priority: { type: "integer", minimum: 0, maximum: 9 },
  language: { type: "string", pattern: "^([a-z]{2,3}|auto)$" },
  model: { type: "string", pattern: "^[A-Za-z0-9._-]{1,100}$" }
} as const

const queued = {
  content: {
    "application/json": {
      schema: {
        type: "object",
        properties: {
          session: { type: "string" },
          added: { type: "boolean" },
          bytes: { type: "integer" },
          media_type: { type: "string" }
        },
        required: ["session", "added", "bytes", "media_type"]
      }
    }
  }
} as const

/** Operations by path and method, as OpenAPI has them. */
export const GATEWAY_PATHS: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>> = {
  "/api/calls": {
    post: {
      operationId: "calls.upload",
      summary: "A recording becomes a call: as a form with the part `file`, or the bytes alone. What it is is read from its content.",
      tags: ["calls"],
      "x-scope": "write",
      parameters: [
        text("idempotency-key", "The same key again gives the same call.", "header"),
        text("name", "What a bare body is called."),
        ...Object.entries(fields).map(([name, schema]) => ({ name, in: "query", required: false, schema }))
      ],
      requestBody: {
        required: true,
        content: {
          "multipart/form-data": {
            schema: { type: "object", properties: { file: { type: "string", format: "binary" }, ...fields }, required: ["file"] }
          },
          "application/octet-stream": binary
        }
      },
      responses: {
        "200": { description: "It was queued before.", ...queued },
        "202": { description: "It is queued.", ...queued },
        default: problem
      }
    }
  },
  "/api/sessions/{session}/audio": {
    get: {
      operationId: "sessions.audio",
      summary: "The audio on the session's own timeline: WAV, 16 kHz, mono.",
      tags: ["sessions"],
      "x-scope": "read",
      parameters: [session, range, text("original", "`true`: the very bytes that were imported.")],
      responses: { "200": { description: "The audio.", content: { "audio/wav": binary } }, ...asked }
    }
  },
  "/api/sessions/{session}/bundle": {
    get: {
      operationId: "sessions.bundle",
      summary: "The sealed bundle.",
      tags: ["sessions"],
      "x-scope": "read",
      parameters: [session, range],
      responses: { "200": { description: "The bundle.", content: { "application/zip": binary } }, ...asked }
    }
  },
  "/api/sessions/{session}/exports/{format}": {
    get: {
      operationId: "sessions.export",
      summary: "The transcript as it stands, edits included, as a file.",
      tags: ["sessions"],
      "x-scope": "read",
      parameters: [session, text("format", "See `exports.formats`.", "path"), range, text("original", "`true`: without the edits.")],
      responses: { "200": { description: "The file.", content: { "*/*": binary } }, ...asked }
    }
  },
  "/api/events": {
    get: {
      operationId: "events.stream",
      summary: "Events as they come, as server-sent events; `Last-Event-ID` goes on where a client was.",
      tags: ["events"],
      "x-scope": "read",
      parameters: [text("subjects", "NATS filters with commas between."), text("from", "A place in the log, such as CALLS:12.")],
      responses: {
        "200": { description: "The stream.", content: { "text/event-stream": { schema: { type: "string" } } } },
        default: problem
      }
    }
  },
  "/metrics": {
    get: {
      operationId: "metrics",
      summary: "Metrics in Prometheus' text format.",
      tags: ["operations"],
      "x-scope": "read",
      responses: { "200": { description: "The metrics.", content: { "text/plain": { schema: { type: "string" } } } }, default: problem }
    }
  },
  "/health": {
    get: {
      operationId: "health",
      summary: "Whether the actors work; wants no token.",
      tags: ["operations"],
      security: [],
      responses: { "200": { description: "How they are.", content: { "application/json": { schema: { type: "object" } } } } }
    }
  }
}
