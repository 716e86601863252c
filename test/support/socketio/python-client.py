"""A Socket.IO client with python3-socketio. It reads commands and prints what it receives, both as JSON lines.

Usage: python-client.py URL NAMESPACE OPTIONS

A position is an ordinary argument for it: it keeps that of the last event, and sends it as `since` when it reconnects.
"""

import asyncio
import json
import sys

import socketio
from engineio.payload import Payload

# By default the library ends the connection if a poll returns more than 16 packets, but a burst of events has more.
Payload.max_decode_packets = 1_000_000

url, namespace, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
client = socketio.AsyncClient(reconnection_delay=0.05, reconnection_delay_max=0.2)
since = options.get("since")


def say(**what):
    print(json.dumps(what), flush=True)


def auth():
    asked = {"names": "event", "topics": options["topics"]}
    if "token" in options:
        asked["token"] = options["token"]
    return asked if since is None else {**asked, "since": since}


@client.on("connect", namespace=namespace)
def connected():
    say(connected=True, transport=client.transport())


@client.on("disconnect", namespace=namespace)
def disconnected():
    say(disconnected=True)


@client.on("subscribed", namespace=namespace)
def subscribed(stands, position=None):
    say(subscribed=stands)


@client.on("event", namespace=namespace)
def event(event, position):
    global since
    since = position
    say(event=event)


@client.on("told", namespace=namespace)
def told(*args):
    say(told=[arg.hex() if isinstance(arg, bytes) else arg for arg in args])


@client.on("ask", namespace=namespace)
def ask(n):
    return n + 1


async def obey():
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        told = json.loads(line)
        if "call" in told:
            say(answer=await client.call(told["call"], told["data"], namespace=namespace))
        else:
            say(transport=client.transport())
    await client.disconnect()


async def main():
    await client.connect(url, auth=auth, namespaces=[namespace], transports=options.get("transports"))
    await obey()


asyncio.run(main())
