"""What Home Assistant does with a Wyoming server, with the unmodified `wyoming` package. Prints one JSON object.

    python wyoming_client.py tcp://127.0.0.1:PORT
"""

import asyncio
import json
import math
import struct
import sys

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.handle import Handled, NotHandled
from wyoming.info import Describe, Info
from wyoming.intent import NotRecognized, Recognize
from wyoming.ping import Ping, Pong
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop, SynthesizeStopped, SynthesizeVoice

URI = sys.argv[1]
TEXT = "This is the first sentence. And here is another one! The last has no end"


def client() -> AsyncClient:
    """A connection for each request, as Home Assistant makes them."""
    return AsyncClient.from_uri(URI, read_timeout=60)


def tone(seconds: float, loudness: int, period: int) -> bytes:
    samples = (int(loudness * math.sin(2 * math.pi * n / period)) for n in range(int(seconds * 16000)))
    return b"".join(struct.pack("<h", sample) for sample in samples)


async def transcribe(pcm: bytes) -> dict:
    async with client() as server:
        await server.write_event(Transcribe(language="en").event())
        await server.write_event(AudioStart(16000, 2, 1).event())
        for at in range(0, len(pcm), 2048):
            await server.write_event(AudioChunk(16000, 2, 1, pcm[at : at + 2048]).event())
        await server.write_event(AudioStop().event())
        # In the middle of a request it still says who it is.
        await server.write_event(Describe().event())
        order = []
        while True:
            event = await server.read_event()
            assert event is not None, "the connection ended without a transcript"
            order.append(event.type)
            if Transcript.is_type(event.type):
                transcript = Transcript.from_event(event)
            if len(order) == 2:
                return {"text": transcript.text, "language": transcript.language, "order": sorted(order)}


async def hear(server: AsyncClient, until) -> dict:
    """Audio until the event that ends it."""
    heard = {"samples": 0, "rates": set(), "largest": 0, "starts": 0, "stops": 0, "errors": []}
    while True:
        event = await server.read_event()
        assert event is not None, "the connection ended in the middle of the speech"
        if AudioStart.is_type(event.type):
            heard["starts"] += 1
            heard["rates"].add(AudioStart.from_event(event).rate)
        elif AudioChunk.is_type(event.type):
            assert heard["starts"] == 1, "audio before its format"
            chunk = AudioChunk.from_event(event)
            heard["samples"] += chunk.samples
            heard["largest"] = max(heard["largest"], chunk.samples)
            heard["rates"].add(chunk.rate)
        elif AudioStop.is_type(event.type):
            heard["stops"] += 1
        elif Error.is_type(event.type):
            heard["errors"].append(Error.from_event(event).text)
        if until(event.type):
            return {**heard, "rates": sorted(heard["rates"])}


async def synthesize() -> dict:
    async with client() as server:
        await server.write_event(Synthesize(TEXT, voice=SynthesizeVoice(name="no-such-voice")).event())
        return await hear(server, AudioStop.is_type)


async def synthesize_streaming() -> dict:
    async with client() as server:
        await server.write_event(SynthesizeStart().event())
        for at in range(0, len(TEXT), 9):
            await server.write_event(SynthesizeChunk(TEXT[at : at + 9]).event())
        # Home Assistant says the whole text again, for servers that cannot stream.
        await server.write_event(Synthesize(TEXT).event())
        await server.write_event(SynthesizeStop().event())
        return await hear(server, SynthesizeStopped.is_type)


async def converse(question: str, conversation: str) -> dict:
    async with client() as server:
        context = {"conversation_id": conversation}
        await server.write_event(Transcript(question, context=context, language="en").event())
        event = await server.read_event()
        assert event is not None
        handled = (Handled if Handled.is_type(event.type) else NotHandled).from_event(event)
        return {"type": event.type, "text": handled.text, "context": handled.context}


async def main() -> None:
    async with client() as server:
        await server.write_event(Describe().event())
        event = await server.read_event()
        assert event is not None and Info.is_type(event.type)
        info = Info.from_event(event)
        await server.write_event(Ping(text="there?").event())
        event = await server.read_event()
        assert event is not None
        pong = Pong.from_event(event).text
        await server.write_event(Recognize("turn on the light").event())
        event = await server.read_event()
        assert event is not None and NotRecognized.is_type(event.type)
    result = {
        "asr": [{"installed": model.installed, "languages": model.languages} for model in info.asr[0].models],
        "voices": [voice.name for voice in info.tts[0].voices],
        "streams": info.tts[0].supports_synthesize_streaming,
        "handle": info.handle[0].models[0].languages,
        "pong": pong,
        "speech": await transcribe(tone(0.3, 0, 40) + tone(1.5, 8000, 40) + tone(0.5, 0, 40)),
        "silence": await transcribe(tone(1.0, 0, 40)),
        "nothing": await transcribe(b""),
        "spoken": await synthesize(),
        "streamed": await synthesize_streaming(),
        "answers": [await converse("What is it?", "kitchen"), await converse("And now?", "kitchen")],
    }
    print(json.dumps(result))


asyncio.run(main())
