import { assert, describe, it } from "@effect/vitest"
import { shiftPitch, toBytes, toInt16, trimLead } from "./Pcm.ts"

const RATE = 1000

describe("samples", () => {
  it("leaves 20 ms of silence before the first audible sample", () => {
    const samples = new Float32Array(200)
    samples[60] = 0.005
    samples[100] = -0.5
    const trimmed = trimLead(samples, RATE)
    assert.strictEqual(trimmed.length, 120)
    assert.strictEqual(trimmed[20], -0.5)
  })

  it("leaves audio alone that begins at once or never", () => {
    assert.strictEqual(trimLead(Float32Array.of(0.5, 0), RATE).length, 2)
    assert.strictEqual(trimLead(new Float32Array(100), RATE).length, 100)
    assert.strictEqual(trimLead(new Float32Array(0), RATE).length, 0)
  })

  it("is 16 bit little-endian, clipped", () => {
    assert.deepStrictEqual([...toInt16(Float32Array.of(0, 1, -1, 2, -2, 0.5))], [0, 32_767, -32_767, 32_767, -32_767, 16_384])
    assert.deepStrictEqual([...toBytes(Int16Array.of(1, -2))], [1, 0, 254, 255])
  })

  it("shifts the pitch by resampling", () => {
    const tone = Int16Array.from({ length: 8000 }, (_, index) => Math.round(10_000 * Math.sin((2 * Math.PI * 100 * index) / 8000)))
    const crossings = (pcm: Int16Array) => pcm.filter((sample, index) => index > 0 && (pcm[index - 1] ?? 0) < 0 && sample >= 0).length
    const lower = shiftPitch(tone, 0.8)
    assert.strictEqual(lower.length, 10_000)
    // As many waves in more samples: a lower tone at the same rate.
    assert.approximately(crossings(lower), crossings(tone), 1)
    assert.deepStrictEqual([...shiftPitch(Int16Array.of(1, 2, 3), 1)], [1, 2, 3])
  })
})
