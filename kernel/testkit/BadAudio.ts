/**
 * Audio files as they should not be, for tests of whatever reads files: headers that lie, formats that do not exist,
 * and good files with bytes changed, cut out, repeated or cut off. The same seed gives the same files.
 */

/** Random numbers that are the same every time. */
export const random = (seed: number) => {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    below: (limit: number) => Math.floor(next() * limit),
    pick: <A>(of: ReadonlyArray<A>, otherwise: A): A => of[Math.floor(next() * of.length)] ?? otherwise
  }
}
export type Random = ReturnType<typeof random>

export interface BadFile {
  /** What is wrong with it. */
  readonly name: string
  readonly bytes: Uint8Array
}

const EXTREMES = [0, 1, 2, 3, 255, 256, 65_535, 65_536, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff]

interface WavFields {
  readonly riff: number
  readonly formatLength: number
  readonly format: number
  readonly channels: number
  readonly rate: number
  readonly byteRate: number
  readonly align: number
  readonly bits: number
  readonly data: number
}

/** A WAV file that says of itself what it is told to. */
const wav = (fields: WavFields, body: Uint8Array): Uint8Array => {
  const bytes = Buffer.alloc(44 + body.length)
  bytes.write("RIFF", 0, "latin1")
  bytes.writeUInt32LE(fields.riff >>> 0, 4)
  bytes.write("WAVEfmt ", 8, "latin1")
  bytes.writeUInt32LE(fields.formatLength >>> 0, 16)
  bytes.writeUInt16LE(fields.format & 0xffff, 20)
  bytes.writeUInt16LE(fields.channels & 0xffff, 22)
  bytes.writeUInt32LE(fields.rate >>> 0, 24)
  bytes.writeUInt32LE(fields.byteRate >>> 0, 28)
  bytes.writeUInt16LE(fields.align & 0xffff, 32)
  bytes.writeUInt16LE(fields.bits & 0xffff, 34)
  bytes.write("data", 36, "latin1")
  bytes.writeUInt32LE(fields.data >>> 0, 40)
  bytes.set(body, 44)
  return bytes
}

const PLAIN: Omit<WavFields, "riff" | "data"> = {
  formatLength: 16,
  format: 1,
  channels: 1,
  rate: 16_000,
  byteRate: 32_000,
  align: 2,
  bits: 16
}
const FLOAT = { ...PLAIN, format: 3, bits: 32, byteRate: 64_000, align: 4 }

const plain = (fields: Partial<WavFields>, body: Uint8Array) =>
  wav({ ...PLAIN, riff: 36 + body.length, data: body.length, ...fields }, body)

const floats = (value: number) => {
  const body = Buffer.alloc(16_000)
  for (let at = 0; at < body.length; at += 4) body.writeFloatLE(value, at)
  return body
}

/** Each of the known ways to be wrong, once. */
export const knownBad = (): ReadonlyArray<BadFile> => {
  const body = Buffer.from(Uint8Array.from({ length: 8_000 }, (_, i) => (i * 37) & 255))
  return [
    { name: "nothing", bytes: new Uint8Array(0) },
    { name: "one byte", bytes: Uint8Array.of(82) },
    { name: "text", bytes: Buffer.from("this is no audio\n".repeat(100)) },
    { name: "a playlist of files", bytes: Buffer.from("#EXTM3U\n#EXTINF:1,\n/etc/passwd\nfile:///etc/passwd\n") },
    { name: "a concat script", bytes: Buffer.from("ffconcat version 1.0\nfile /etc/passwd\n") },
    { name: "an SDP", bytes: Buffer.from("v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 5000 RTP/AVP 0\n") },
    { name: "a web page", bytes: Buffer.from("<!doctype html><title>not found</title>") },
    { name: "an empty ZIP", bytes: Buffer.from("504b0506000000000000000000000000000000000000", "hex") },
    { name: "zeros", bytes: new Uint8Array(100_000) },
    { name: "header alone", bytes: plain({}, new Uint8Array(0)) },
    ...[1, 4, 12, 20, 35, 43].map((length) => ({ name: `header of ${length} bytes`, bytes: plain({}, body).slice(0, length) })),
    ...[0, 1, 7, 0xffff_ffff].map((rate) => ({ name: `${rate} Hz`, bytes: plain({ rate }, body) })),
    ...[0, 3, 17, 255, 65_535].map((channels) => ({ name: `${channels} channels`, bytes: plain({ channels }, body) })),
    ...[0, 1, 7, 24, 64, 65_535].map((bits) => ({ name: `${bits} bits`, bytes: plain({ bits }, body) })),
    ...[0, 2, 6, 7, 0x55, 0xfffe, 0xffff].map((format) => ({ name: `format ${format}`, bytes: plain({ format }, body) })),
    ...EXTREMES.map((data) => ({ name: `data of ${data} bytes`, bytes: plain({ data }, body) })),
    ...EXTREMES.map((riff) => ({ name: `RIFF of ${riff} bytes`, bytes: plain({ riff }, body) })),
    ...EXTREMES.map((formatLength) => ({ name: `format chunk of ${formatLength} bytes`, bytes: plain({ formatLength }, body) })),
    ...[Number.NaN, Infinity, -Infinity, 3e38, 1e-45].map((value) => ({ name: `floats of ${value}`, bytes: plain(FLOAT, floats(value)) })),
    { name: "an odd byte too many", bytes: plain({}, body.subarray(0, 7_999)) },
    { name: "a WAV in a WAV", bytes: plain({}, plain({}, body)) },
    { name: "an ID3 tag of 256 MB", bytes: Buffer.concat([Buffer.from("ID3\x04\0\0\x7f\x7f\x7f\x7f", "latin1"), body]) },
    { name: "FLAC without frames", bytes: Buffer.concat([Buffer.from("fLaC\x80\0\0\x22", "latin1"), new Uint8Array(34)]) },
    { name: "Ogg pages of nothing", bytes: Buffer.from(`OggS${"\0".repeat(23)}`.repeat(500), "latin1") },
    {
      name: "an MP4 box of 2^63 bytes",
      bytes: Buffer.concat([Buffer.from("\0\0\0\x01ftyp\x7f\xff\xff\xff\xff\xff\xff\xffM4A ", "latin1"), body])
    }
  ]
}

/** A good file made bad in one to four places. */
const spoil = (good: Uint8Array, { below, next }: Random): Uint8Array => {
  let bytes = Uint8Array.from(good)
  for (let times = 1 + below(4); times > 0 && bytes.length > 1; times -= 1) {
    // Headers matter most.
    const at = next() < 0.5 ? below(Math.min(bytes.length, 256)) : below(bytes.length)
    const length = 1 + below(next() < 0.8 ? 8 : 4_096)
    switch (below(6)) {
      case 0:
        bytes[at] = below(256)
        break
      case 1:
        bytes.fill(next() < 0.5 ? 0 : 255, at, at + length)
        break
      case 2:
        bytes = bytes.slice(0, at + 1)
        break
      case 3:
        bytes = Uint8Array.from(Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]))
        break
      case 4:
        bytes = Uint8Array.from(Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]))
        break
      default: {
        const view = new DataView(bytes.buffer)
        if (at + 4 <= bytes.length) view.setUint32(at, EXTREMES[below(EXTREMES.length)] ?? 0, next() < 0.5)
      }
    }
  }
  return bytes
}

/** `count` bad files for a seed: half of them from good files of other formats, half WAV with fields at random. */
export function* badFiles(seed: number, count: number, good: ReadonlyArray<BadFile>): Generator<BadFile> {
  const chance = random(seed)
  const { below, pick, next } = chance
  for (let n = 0; n < count; n += 1) {
    const source = good[n % (2 * Math.max(1, good.length))]
    if (source !== undefined) {
      yield { name: `${source.name}, seed ${seed}, number ${n}`, bytes: spoil(source.bytes, chance) }
      continue
    }
    const body = Buffer.from(Uint8Array.from({ length: below(20_000) }, () => below(256)))
    const field = (usual: number) => (next() < 0.6 ? usual : pick(EXTREMES, 0))
    const fields = { ...PLAIN, riff: 36 + body.length, data: body.length }
    yield {
      name: `WAV, seed ${seed}, number ${n}`,
      bytes: wav(
        {
          riff: field(fields.riff),
          formatLength: field(16),
          format: field(pick([1, 3, 6, 7, 0x11, 0xfffe], 1)),
          channels: field(pick([1, 2, 6], 1)),
          rate: field(pick([8_000, 16_000, 44_100, 192_000], 16_000)),
          byteRate: field(32_000),
          align: field(2),
          bits: field(pick([4, 8, 16, 24, 32], 16)),
          data: field(fields.data)
        },
        body
      )
    }
  }
}
