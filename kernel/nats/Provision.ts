/**
 * Sets up the streams of the contract and the consumers of the actors: made when missing, brought up to date otherwise.
 * In a cluster of three or more, everything has three replicas.
 */
import { AckPolicy, DeliverPolicy, DiscardPolicy, type JetStreamManager, RetentionPolicy, StorageType } from "@nats-io/jetstream"
import { type NatsConnection, nanos } from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { type StreamSpec, STREAMS } from "../../contract/Subjects.ts"
import type { ConsumerSpec } from "../Bus.ts"
import { describe, Retryable, Terminal } from "../Failure.ts"
import { apiCode, CONSUMER_NOT_FOUND, isForbidden, STREAM_NOT_FOUND, unavailable, unlessMissing } from "./Refusal.ts"

const DUPLICATE_WINDOW_MS = 10 * 60_000

const streamConfig = (spec: StreamSpec, keepConversations: boolean) => ({
  subjects: [...spec.subjects],
  storage: spec.storage === "file" || (spec.storage === "kept" && keepConversations) ? StorageType.File : StorageType.Memory,
  retention: RetentionPolicy.Limits,
  discard: DiscardPolicy.Old,
  allow_direct: true,
  duplicate_window: nanos(DUPLICATE_WINDOW_MS),
  max_age: spec.maxAgeSeconds === undefined || (spec.storage === "kept" && keepConversations) ? 0 : nanos(spec.maxAgeSeconds * 1000),
  max_msgs_per_subject: spec.maxMessagesPerSubject ?? -1,
  description: spec.means
})

/** Three in a cluster of at least three nodes, so that any one may die; the nodes tell their clients of each other. */
const replicasOf = (nc: NatsConnection): number => (nc.info?.cluster !== undefined && new Set(nc.info.connect_urls ?? []).size >= 3 ? 3 : 1)

/**
 * Storage cannot be changed in place: a memory stream that must become a file is made anew (it is private and short-lived).
 * Replicas are raised when the cluster has grown, never lowered because a node is away.
 */
const provisionStream = async (jsm: JetStreamManager, spec: StreamSpec, keepConversations: boolean, replicas: number): Promise<void> => {
  const config = streamConfig(spec, keepConversations)
  const existing = await jsm.streams.info(spec.name).catch(unlessMissing(STREAM_NOT_FOUND))
  if (existing !== undefined && existing.config.storage === config.storage) {
    const num_replicas = Math.max(replicas, existing.config.num_replicas)
    return void (await jsm.streams.update(spec.name, { ...existing.config, ...config, num_replicas }))
  }
  if (existing !== undefined) await jsm.streams.delete(spec.name)
  await jsm.streams.add({ name: spec.name, ...config, num_replicas: replicas })
}

/** Why an actor has no place in the line. */
export const noConsumer = (spec: ConsumerSpec, cause: unknown): Retryable | Terminal => {
  if (isForbidden(cause)) {
    const message = `The bus does not let this user take the work of ${spec.durable} from ${spec.stream}. Issue credentials with --actor.`
    return new Terminal({ code: "bus.denied", message, cause })
  }
  if (apiCode(cause) === STREAM_NOT_FOUND) {
    const message = `The bus has no stream ${spec.stream}: no Voxbus of this version has been started on it.`
    return new Retryable({ code: "bus.unavailable", message, cause })
  }
  return unavailable(`consumer ${spec.durable}`)(cause)
}

/** While a cluster elects a leader nothing can be set up: tried again for half a minute. A refusal is not. */
const settingUp = (what: string, run: () => Promise<void>) =>
  Effect.tryPromise({ try: run, catch: (cause) => cause }).pipe(
    Effect.retry({
      while: (cause) => !isForbidden(cause),
      schedule: Schedule.min([Schedule.exponential("50 millis"), Schedule.spaced("1 second")]).pipe(
        Schedule.upTo({ duration: "30 seconds" })
      )
    }),
    Effect.mapError((cause) =>
      isForbidden(cause)
        ? new Terminal({ code: "bus.denied", message: `The bus does not let this user set up ${what}: ${describe(cause)}`, cause })
        : unavailable(`set up ${what}`)(cause)
    )
  )

export const consumerConfig = (spec: ConsumerSpec) => ({
  durable_name: spec.durable,
  filter_subjects: [...spec.filters],
  ack_policy: AckPolicy.Explicit,
  ack_wait: nanos(spec.ackWaitMs),
  deliver_policy: spec.from === "new" ? DeliverPolicy.New : DeliverPolicy.All,
  // The runtime counts deliveries and dead-letters; the server never drops silently.
  max_deliver: -1
})

/** Filters and ack wait can change with a release; where the consumer is in the stream stays. */
const provisionConsumer = async (jsm: JetStreamManager, spec: ConsumerSpec): Promise<void> => {
  const config = consumerConfig(spec)
  const existing = await jsm.consumers.info(spec.stream, spec.durable).catch(unlessMissing(CONSUMER_NOT_FOUND))
  if (existing === undefined) await jsm.consumers.add(spec.stream, config)
  else await jsm.consumers.update(spec.stream, spec.durable, config)
}

export const provision = Effect.fnUntraced(function* (
  nc: NatsConnection,
  jsm: JetStreamManager,
  { keepConversations, consumers }: { readonly keepConversations: boolean; readonly consumers: ReadonlyArray<ConsumerSpec> }
) {
  const replicas = replicasOf(nc)
  const each = { discard: true, concurrency: 4 } as const
  yield* Effect.forEach(STREAMS, (spec) => settingUp(spec.name, () => provisionStream(jsm, spec, keepConversations, replicas)), each)
  yield* Effect.forEach(consumers, (spec) => settingUp(spec.durable, () => provisionConsumer(jsm, spec)), each)
})
