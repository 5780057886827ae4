"""Prints what is transcribed, from the first event of the log on, and goes on with what comes.

    pip install -r examples/python/requirements.txt
    npx voxbus creds issue reader --read        # prints the address
    VOXBUS_BUS=nats://reader:...@127.0.0.1:PORT python examples/python/subscribe.py
"""

import asyncio
import json
import os
from urllib.parse import urlsplit

import nats


async def main() -> None:
    url = os.environ["VOXBUS_BUS"]
    user = urlsplit(url).username or ""
    # Replies come below a prefix of one's own: a user sees nobody else's.
    client = await nats.connect(url, inbox_prefix=f"_INBOX_{user.replace('-', '_')}")

    # A question to the program: any command of the contract that these credentials may ask.
    sessions = json.loads((await client.request("cmd.sessions.list", b"{}", timeout=20)).data)["sessions"]
    print(f"{len(sessions)} sessions", flush=True)

    log = await client.jetstream().subscribe("text.transcribed.call.>", stream="CALLS", ordered_consumer=True)
    async for message in log.messages:
        event = json.loads(message.data)
        print(event["session"], event["unit"], event["text"], flush=True)


asyncio.run(main())
