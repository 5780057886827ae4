/** Expensive requests: so many a minute for each client (60 by default), and 10 more in a burst of ten seconds. */
import * as Effect from "effect/Effect"
import { BurstyRateLimiter, RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible"
import { Terminal } from "../kernel/Failure.ts"

const BURST = 10
const BURST_SECONDS = 10

/** Too much: with the seconds after which the client may ask again. */
export class Limited extends Terminal {
  readonly retryAfterSeconds: number
  constructor(retryAfterSeconds: number, most: string) {
    super({ code: "request.limited", message: `More than ${most}; ask again in ${retryAfterSeconds} s.` })
    this.retryAfterSeconds = retryAfterSeconds
  }
}

const secondsOf = (cause: unknown) => Math.max(1, Math.ceil((cause instanceof RateLimiterRes ? cause.msBeforeNext : 1_000) / 1000))

export interface RateLimit {
  /** Counts one request of a client. Fails with `request.limited`. */
  readonly count: (client: string) => Effect.Effect<void, Limited>
}

/** @param perMinute and ten more in a burst */
export const makeRateLimit = (perMinute = 60): RateLimit => {
  const limiter = new BurstyRateLimiter(
    new RateLimiterMemory({ points: perMinute, duration: 60 }),
    new RateLimiterMemory({ keyPrefix: "burst", points: BURST, duration: BURST_SECONDS })
  )
  return {
    count: (client) =>
      Effect.tryPromise({
        try: () => limiter.consume(client),
        catch: (cause) => new Limited(secondsOf(cause), `${perMinute} requests in a minute`)
      }).pipe(Effect.asVoid)
  }
}

/** So many in an hour for each client, whenever they like. */
export const makeHourly = (most: number, what: string): RateLimit => {
  const limiter = new RateLimiterMemory({ points: most, duration: 3600 })
  return {
    count: (client) =>
      Effect.tryPromise({
        try: () => limiter.consume(client),
        catch: (cause) => new Limited(secondsOf(cause), `${most} ${what} in an hour`)
      }).pipe(Effect.asVoid)
  }
}
