/**
 * Prints what is transcribed, from the first event of the log on, and goes on with what comes. With any NATS client:
 *
 *   npx voxbus creds issue reader --read        prints the address
 *   VOXBUS_BUS=nats://reader:...@127.0.0.1:PORT node examples/01-subscribe.ts
 */
import { jetstream } from "@nats-io/jetstream"
import { connect } from "@nats-io/transport-node"

const { host, username, password } = new URL(process.env["VOXBUS_BUS"] ?? "")

// Replies come below a prefix of one's own: a user sees nobody else's.
const nc = await connect({ servers: host, user: username, pass: password, inboxPrefix: `_INBOX_${username.replaceAll("-", "_")}` })

// An ordered consumer: every event in order, again from where it was after a lost connection.
const log = await jetstream(nc).consumers.get("CALLS", { filter_subjects: ["text.transcribed.call.>"] })

for await (const message of await log.consume()) {
  const { session, unit, text } = message.json<{ session: string; unit: number; text: string }>()
  console.log(`${session} ${unit} ${text}`)
}
