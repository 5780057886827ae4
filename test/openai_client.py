"""The official `openai` client of Python, as it comes, against a running Voxbus. Prints one line of JSON.

OPENAI_BASE_URL and OPENAI_API_KEY say where it is; the argument is a WAV file with speech.
"""

import asyncio
import base64
import json
import os
import sys
import wave

from openai import AsyncOpenAI, BadRequestError, OpenAI


def over_http(path):
    client = OpenAI(max_retries=2, timeout=60)
    result = {"models": [model.id for model in client.models.list()]}
    with open(path, "rb") as audio:
        result["text"] = client.audio.transcriptions.create(file=audio, model="whisper-1").text
    with open(path, "rb") as audio:
        stream = client.audio.transcriptions.create(file=audio, model="whisper-1", stream=True)
        result["streamed"] = [event.text for event in stream if event.type == "transcript.text.done"][0]
    with open(path, "rb") as audio:
        verbose = client.audio.transcriptions.create(
            file=audio, model="whisper-1", response_format="verbose_json", timestamp_granularities=["word"]
        )
        result["words"] = [word.word for word in verbose.words]
    with open(path, "rb") as audio:
        result["vtt"] = client.audio.translations.create(file=audio, model="whisper-1", response_format="vtt")
    speaking = client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input="One sentence. And a second one.", response_format="wav"
    )
    with speaking as response:
        speech = b"".join(response.iter_bytes())
    result["wav"] = {"riff": speech[:4].decode(), "bytes": len(speech)}
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Who is there?"}]
    result["answer"] = client.chat.completions.create(model="voxbus", messages=messages).choices[0].message.content
    chunks = client.chat.completions.create(model="voxbus", messages=messages, stream=True)
    result["chunks"] = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    try:
        client.audio.speech.create(model="tts-1", voice="nobody", input="Hello.")
    except BadRequestError as error:
        result["refused"] = {"param": error.param, "code": error.code}
    return result


async def over_a_socket(path):
    """Commits the file as one utterance and collects the answer."""
    with wave.open(path) as recording:
        pcm = recording.readframes(recording.getnframes())
    url = os.environ["OPENAI_BASE_URL"].replace("http", "ws", 1)
    client = AsyncOpenAI(websocket_base_url=url)
    types, answer, audio, heard = [], "", 0, ""
    async with client.realtime.connect(model="gpt-realtime") as connection:
        await connection.session.update(session={"type": "realtime", "audio": {"input": {"turn_detection": None}}})
        await connection.input_audio_buffer.append(audio=base64.b64encode(pcm).decode())
        await connection.input_audio_buffer.commit()
        await connection.response.create()
        async for event in connection:
            types.append(event.type)
            if event.type == "conversation.item.input_audio_transcription.completed":
                heard = event.transcript
            if event.type == "response.output_audio_transcript.delta":
                answer += event.delta
            if event.type == "response.output_audio.delta":
                audio += len(base64.b64decode(event.delta))
            if event.type == "error":
                raise RuntimeError(event.error.message)
            if event.type == "response.done":
                break
    return {"types": types, "answer": answer, "audio": audio, "heard": heard}


outcome = over_http(sys.argv[1])
outcome["realtime"] = asyncio.run(over_a_socket(sys.argv[1]))
print(json.dumps(outcome))
