/**
 * The audio of this browser on its way to the gateway: kept until it is saved, sent while it is taken, and sent again from
 * where the gateway is whenever that takes it again.
 */
import type { ServerMessage } from "../../../gateway/Protocol.ts"
import { Kept } from "./Kept.ts"

export type Ack = Extract<ServerMessage, { readonly type: "record.ack" }>

export class Sender {
  #state: Ack["state"] = "waiting"
  readonly #kept: Kept
  readonly #send: (pcm: Int16Array) => void

  constructor(channels: number, send: (pcm: Int16Array) => void) {
    this.#kept = new Kept(channels)
    this.#send = send
  }

  /** What the microphone has; in a pause it is left out. */
  push(pcm: Int16Array): void {
    if (this.#state === "paused" || this.#state === "discarded") return
    this.#kept.push(pcm)
    if (this.#state === "recording") this.#send(pcm)
  }

  acknowledged({ state, samples, next }: Pick<Ack, "state" | "samples" | "next">): void {
    const began = state === "recording" && this.#state !== "recording"
    this.#state = state
    this.#kept.letGo(samples)
    if (began) for (const pcm of this.#kept.since(next)) this.#send(pcm)
  }

  /** The connection broke: the next one says where it goes on. */
  broken(): void {
    this.#state = "waiting"
  }
}
