/** IEEE 754 half precision to and from single, for the two weight formats. Buffers hold little-endian numbers. */

const one = new Float32Array(1)
const bits = new Uint32Array(one.buffer)

const single = (half: number): number => {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 31
  const fraction = half & 1023
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** Rounds to the nearest, ties to even, as the converter of whisper.cpp does. */
const half = (value: number): number => {
  one[0] = value
  const word = bits[0] ?? 0
  const sign = (word >>> 16) & 0x8000
  const exponent = ((word >>> 23) & 255) - 112
  const fraction = word & 0x7fffff
  if (exponent >= 31) return sign | 0x7c00 | (exponent === 143 && fraction !== 0 ? 0x200 : 0)
  if (exponent <= -11) return sign
  // Below the normal range the hidden bit becomes visible and the shift grows.
  const shift = exponent <= 0 ? 14 - exponent : 13
  const whole = exponent <= 0 ? fraction | 0x800000 : (exponent << 23) | fraction
  const kept = whole >>> shift
  const rest = whole & ((1 << shift) - 1)
  const middle = 1 << (shift - 1)
  return sign | (rest > middle || (rest === middle && (kept & 1) === 1) ? kept + 1 : kept)
}

/** f16 numbers as f32 numbers. */
export const halfToSingle = (source: Buffer): Buffer => {
  const target = Buffer.allocUnsafe(source.length * 2)
  for (let at = 0; at < source.length; at += 2) target.writeFloatLE(single(source.readUInt16LE(at)), at * 2)
  return target
}

/** f32 numbers as f16 numbers. */
export const singleToHalf = (source: Buffer): Buffer => {
  const target = Buffer.allocUnsafe(source.length / 2)
  for (let at = 0; at < source.length; at += 4) target.writeUInt16LE(half(source.readFloatLE(at)), at / 2)
  return target
}
