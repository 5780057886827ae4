/** `bundles.verify`. */
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { ownPublicKey } from "../../actors/bundler/SealKey.ts"
import { verifyBundle } from "../../actors/bundler/Verify.ts"
import { VerifyBundle } from "../../contract/BundleCommands.ts"
import { handler } from "../../kernel/Commands.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { Settings } from "../../kernel/Settings.ts"
import { Library } from "../../library/Library.ts"

const verify = handler(VerifyBundle, ({ session }) =>
  Effect.gen(function* () {
    const { home } = yield* Settings
    const library = yield* Library
    const { folder, bundle } = yield* library.get(session)
    if (bundle === "") return yield* new Terminal({ code: "input.missing", message: "This session has no bundle yet." })
    const own = yield* ownPublicKey(home)
    const { ok, checked, problems } = yield* verifyBundle(join(folder, bundle), own === undefined ? {} : { ownKey: own })
    return { session, bundle, ok, checked, problems }
  })
)

export const bundleHandlers = [verify]
