/** JSON bodies of requests, checked against a schema; what is wrong is said with the name of the parameter. */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Option from "effect/Option"
import * as ByteSize from "effect/ByteSize"
import * as Schema from "effect/Schema"
import { describe, Terminal } from "../../kernel/Failure.ts"
import { Parameter } from "./Problem.ts"

/** Bytes of the largest JSON body, counted while it comes in. */
const MAX_JSON_BYTES = 4 * 1024 * 1024

const paramOf = (message: string): string => /\["([\w[\]]+)"\]/.exec(message)?.[1] ?? ""

/** A parameter that is not as its schema wants it. */
export const refused = (cause: Schema.SchemaError): Parameter | Terminal => {
  const message = `The request is not valid: ${cause.message.replaceAll(/\s+/g, " ")}.`
  const param = paramOf(cause.message)
  return param === "" ? new Terminal({ code: "input.invalid", message }) : new Parameter(param, message)
}

/** Decodes the body of a request. */
export const jsonBody = <S extends Schema.Top & { readonly DecodingServices: never }>(schema: S) => {
  const decode = Schema.decodeUnknownEffect(schema)
  return Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest): Effect.fn.Return<S["Type"], Terminal> {
    const size = Number(request.headers["content-length"] ?? 0)
    const tooLarge = new Terminal({ code: "request.too_large", message: `At most ${MAX_JSON_BYTES} bytes of JSON are taken.` })
    if (size > MAX_JSON_BYTES) return yield* tooLarge
    const text = yield* request.text.pipe(
      Effect.provideService(HttpServerRequest.MaxBodySize, Option.getOrUndefined(ByteSize.fromInput(MAX_JSON_BYTES))),
      Effect.mapError((cause) => (/size|large/i.test(describe(cause)) ? tooLarge : bad(`The body cannot be read: ${describe(cause)}`)))
    )
    const value = yield* Effect.try({ try: () => JSON.parse(text) as unknown, catch: () => bad("The body is not JSON.") })
    return yield* decode(value).pipe(Effect.mapError(refused))
  })
}

const bad = (message: string) => new Terminal({ code: "input.invalid", message })
