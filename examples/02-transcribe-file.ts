/**
 * Transcribes a file over HTTP, without any library, and prints the text.
 *
 *   VOXBUS_URL=http://127.0.0.1:8765 VOXBUS_TOKEN=$(npx voxbus token) node examples/02-transcribe-file.ts call.mp3
 */
import { resolve } from "node:path"

const url = process.env["VOXBUS_URL"] ?? "http://127.0.0.1:8765"
const authorization = `Bearer ${process.env["VOXBUS_TOKEN"] ?? ""}`

const ask = async <A>(path: string, body?: object): Promise<A> => {
  const json = { "content-type": "application/json" }
  const request = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }
  const answer = await fetch(`${url}${path}`, { ...request, headers: { authorization, ...(body === undefined ? {} : json) } })
  const reply = (await answer.json()) as A & { error: string; message: string; details: { fix: string } }
  // Every failure says what it is and what to do.
  if (!answer.ok) throw new Error(`${reply.error}: ${reply.message} ${reply.details.fix}`)
  return reply
}

const { session } = await ask<{ session: string }>("/api/jobs/add", { path: resolve(process.argv[2] ?? "") })

// Events of this call from the first one of the log on, as server-sent events, until it is finished or has failed.
const subjects = ["bundle.ready", "error.raised"].map((event) => `${event}.call.${session}.>`).join(",")
const events = await fetch(`${url}/api/events?subjects=${subjects}&from=CALLS:0`, { headers: { authorization } })
for await (const part of events.body ?? []) if (/^data: /m.test(new TextDecoder().decode(part))) break

const { segments } = await ask<{ segments: ReadonlyArray<{ start: number; text: string }> }>(`/api/transcripts/get?session=${session}`)
for (const { start, text } of segments) console.log(`${start.toFixed(1)} ${text}`)
