/**
 * The process of the `whisper.cpp` engine: PCM in, words out, over stdin and stdout (`Frames.ts`). The only import of
 * smart-whisper, in a process of its own because a fault in native code ends the process it is in.
 *
 * Plain callbacks, no Effect: it starts in 60 ms. It ends when stdin does. Decoding is deterministic: beam search,
 * a result that repeats itself in a short window again in the full one, and what is still no good at a higher
 * temperature, with random numbers that are the same in every run.
 */
import { createRequire } from "node:module"
import { loopShare } from "../Words.ts"
import { decoder, encode } from "./Frames.ts"

interface Token {
  readonly id: number
  readonly p: number
}
interface Piece {
  readonly from: number
  readonly to: number
  readonly text: string
  readonly lang: string
  readonly tokens: ReadonlyArray<Token>
}
interface Loaded {
  readonly handle: unknown
}
interface SmartWhisper {
  readonly WhisperModel: { readonly load: (file: string, gpu: boolean) => Promise<Loaded> }
  readonly TranscribeTask: {
    readonly run: (model: Loaded, pcm: Float32Array, params: object) => Promise<{ readonly result: Promise<ReadonlyArray<Piece>> }>
  }
}

interface Request {
  readonly id: number
  readonly op: "load" | "transcribe"
  readonly path: string
  readonly threads: number
  readonly short: boolean
  readonly options: {
    readonly language: string
    readonly task: "transcribe" | "translate"
    readonly beamSize: number
    readonly bestOf: number
    readonly prompt: string
    readonly hotwords: string
  }
}

type TimedWord = readonly [start: number, end: number, word: string, probability: number]

/**
 * Positions of whisper.cpp's encoder are 20 ms; it wants whole blocks of 64 and has 1500. At least 10 s, and 4 s after
 * the words: with less a short utterance is said twice.
 */
const contextFor = (samples: number): number => Math.min(1_500, Math.ceil((Math.max(10, samples / 16_000 + 4) * 50) / 64) * 64)

const models = new Map<string, Promise<Loaded>>()
const load = (): SmartWhisper => {
  try {
    return createRequire(import.meta.url)("smart-whisper") as SmartWhisper
  } catch (cause) {
    process.stderr.write(`smart-whisper is not built for this machine: ${String(cause).split("\n")[0] ?? ""}. Run: npx voxbus doctor\n`)
    return process.exit(1)
  }
}
const native = load()
// A Metal build of whisper.cpp uses the GPU, every other build ignores the wish.
const modelOf = (path: string): Promise<Loaded> => {
  const known = models.get(path) ?? native.WhisperModel.load(path, process.platform === "darwin")
  models.set(path, known)
  return known
}

/** `WHISPER_MAX_DECODERS`: whisper.cpp fails when it is asked for more. */
const MAX_DECODERS = 8

/** 0 in the first 50256 ids is text; special tokens and timestamps follow in every model. */
const isText = (token: Token): boolean => token.id < 50_256

/** One piece is one word: `max_len: 1` and `split_on_word` make whisper.cpp merge the tokens itself. */
const wordOf = (piece: Piece, samples: number): ReadonlyArray<TimedWord> => {
  const tokens = piece.tokens.filter(isText)
  if (tokens.length === 0) return []
  const at = (ms: number) => Math.max(0, Math.min(samples, Math.round(ms * 16)))
  const probability = tokens.reduce((sum, token) => sum + token.p, 0) / tokens.length
  return [[at(piece.from), Math.max(at(piece.from), at(piece.to)), piece.text, Math.max(0, Math.min(1, probability))]]
}

const decode = async (model: Loaded, pcm: Float32Array, request: Request, audioContext: number, language: string) => {
  const { options } = request
  const task = await native.TranscribeTask.run(model, pcm, {
    strategy: options.beamSize > 1 ? 1 : 0,
    beam_size: Math.min(MAX_DECODERS, options.beamSize),
    best_of: Math.min(MAX_DECODERS, options.bestOf),
    n_threads: request.threads,
    language,
    translate: options.task === "translate",
    initial_prompt: [options.hotwords, options.prompt].filter((text) => text.trim() !== "").join(" ") || undefined,
    format: "detail",
    token_timestamps: true,
    max_len: 1,
    split_on_word: true,
    no_context: true,
    n_max_text_ctx: options.prompt === "" && options.hotwords === "" ? 0 : 224,
    single_segment: request.short,
    temperature: 0,
    // Whisper's own fallback, in the full window only: a short one is decoded again in the full one first. Its random
    // numbers begin with the same seed in every run.
    temperature_inc: audioContext === 0 ? 0.4 : 0,
    suppress_non_speech_tokens: true,
    audio_ctx: audioContext,
    print_progress: false,
    print_realtime: false,
    print_timestamps: false
  })
  const pieces = await task.result
  const tokens = pieces.flatMap((piece) => piece.tokens.filter(isText))
  return {
    words: pieces.flatMap((piece) => wordOf(piece, pcm.length)),
    language: pieces[0]?.lang ?? (language === "auto" ? "en" : language),
    avgLogprob: tokens.reduce((sum, token) => sum + Math.log(Math.max(token.p, 1e-6)), 0) / Math.max(1, tokens.length)
  }
}

const suspicious = (result: { readonly words: ReadonlyArray<TimedWord>; readonly avgLogprob: number }): boolean =>
  result.avgLogprob < -1 || loopShare(result.words.map((word) => word[2])) > 0.5

const answer = async (request: Request, body: Buffer): Promise<object> => {
  const started = performance.now()
  const model = await modelOf(request.path)
  const took = () => Math.round((performance.now() - started) * 100) / 100
  if (request.op === "load") return { computeMs: took() }
  const samples = new Int16Array(body.length / 2)
  Buffer.from(samples.buffer).set(body)
  // A word at the very end is lost without something after it; the full window is padded by whisper.cpp itself.
  const pcm = Float32Array.from(samples, (sample) => sample / 32_768)
  const language = /\.en[-.]/.test(request.path) ? "en" : request.options.language
  const window = request.short ? contextFor(pcm.length) : 0
  let result = await decode(model, pcm, request, window, language)
  if (window !== 0 && suspicious(result)) {
    const again = await decode(model, pcm, request, 0, language)
    if (!suspicious(again) || again.avgLogprob > result.avgLogprob) result = again
  }
  return { ...result, computeMs: took() }
}

const frames = decoder()
process.stdin.on("data", (bytes: Buffer) => {
  for (const { header, body } of frames(bytes)) {
    const request = header as Request
    answer(request, body).then(
      (reply) => process.stdout.write(encode({ ...reply, id: request.id })),
      (cause: unknown) => process.stdout.write(encode({ id: request.id, error: String(cause).slice(0, 300), input: false }))
    )
  }
})
// A native thread may be computing: nothing softer ends it.
process.stdin.on("end", () => process.kill(process.pid, "SIGKILL"))
process.stdout.write(encode({ ready: true }))
