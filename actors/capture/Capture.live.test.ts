import { assert, describe, it } from "@effect/vitest"
import { makeFramer } from "./Framer.ts"
import { judge } from "./Guard.ts"
import { makeMeter } from "./Meter.ts"
import { parseAlsa, parseAvfoundation, parseDshow } from "./sources/ffmpegDevices.ts"

const pcm = (samples: ReadonlyArray<number>) => Buffer.from(Int16Array.from(samples).buffer)

describe("device guard", () => {
  const device = { id: "alsa_input.usb-Mic", name: "USB Microphone" }
  it("blocks first, allows second, and blocks what is in neither list", () => {
    assert.isFalse(judge(device, { allow: [], block: [] }).allowed)
    assert.isTrue(judge(device, { allow: ["usb"], block: [] }).allowed)
    assert.isTrue(judge(device, { allow: ["alsa_input.*mic"], block: [] }).allowed)
    assert.isFalse(judge(device, { allow: ["usb"], block: ["microphone"] }).allowed)
    assert.match(judge(device, { allow: ["usb"], block: ["microphone"] }).reason, /blocklist \("microphone"\)/)
  })
  it("takes patterns literally but for the asterisk", () => assert.isFalse(judge(device, { allow: ["a.sa"], block: [] }).allowed))
})

describe("framer", () => {
  it("makes frames of 100 ms from pieces of any size, and loses and adds nothing", () => {
    const framer = makeFramer(8_000, 2)
    const all = Buffer.from(Array.from({ length: 20_003 }, (_, index) => index % 251))
    const frames: Array<Uint8Array> = []
    for (let at = 0; at < all.length; at += 777) frames.push(...framer.push(all.subarray(at, at + 777)))
    assert.isTrue(frames.every(({ length }) => length === 3_200))
    frames.push(...framer.flush())
    assert.deepStrictEqual(Buffer.concat(frames), all.subarray(0, 20_000))
  })
})

describe("meter", () => {
  it("gives ten levels a second per channel, in dBFS", () => {
    const { levels } = makeMeter(1_000, 2).push(pcm(Array.from({ length: 2_000 }, (_, index) => (index % 2 === 0 ? 16_384 : 0))))
    assert.strictEqual(levels.length, 10)
    assert.deepStrictEqual(levels[0], { peak: [-6, -120], rms: [-6, -120] })
  })
  it("warns of clipping and of silence, once a minute", () => {
    const loud = makeMeter(1_000, 1)
    assert.deepStrictEqual(loud.push(pcm(new Array<number>(3_000).fill(32_767))).warnings, ["clipping"])
    const quiet = makeMeter(1_000, 1)
    assert.deepStrictEqual(quiet.push(pcm(new Array<number>(9_000).fill(0))).warnings, [])
    assert.deepStrictEqual(quiet.push(pcm(new Array<number>(20_000).fill(0))).warnings, ["silence"])
  })
})

describe("device lists of other systems", () => {
  it("reads what ffmpeg and arecord print", () => {
    const mac =
      "[AVFoundation indev @ 0x1] AVFoundation video devices:\n[AVFoundation indev @ 0x1] [0] Camera\n[AVFoundation indev @ 0x1] AVFoundation audio devices:\n[AVFoundation indev @ 0x1] [0] Built-in Microphone"
    assert.deepStrictEqual(
      parseAvfoundation(mac).map(({ id, name }) => [id, name]),
      [["avfoundation:0", "Built-in Microphone"]]
    )
    assert.deepStrictEqual(
      parseDshow('[dshow @ 0x1] "Camera" (video)\n[dshow @ 0x1] "Microphone (USB)" (audio)').map(({ id }) => id),
      ["dshow:Microphone (USB)"]
    )
    assert.deepStrictEqual(
      parseAlsa("**** List ****\ncard 1: USB [USB Audio], device 0: Mic [Mic]\n").map(({ id }) => id),
      ["plughw:1,0"]
    )
  })
})
