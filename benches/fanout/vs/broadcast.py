"""The least chat that one can write on the `websockets` package: what anybody says reaches all the others."""

import asyncio
import json
import time

from websockets.asyncio.server import broadcast, serve

people = set()
seq = 0


async def visit(socket):
    global seq
    people.add(socket)
    try:
        async for frame in socket:
            said = json.loads(frame)
            seq += 1
            at = int(time.time() * 1000)
            place = {"room": said["room"], "seq": seq, "at": at}
            message = {"type": "message", **place, "from": "p0", "tag": "aaaaaaaa", "text": said["text"]}
            broadcast(people - {socket}, json.dumps(message, separators=(",", ":")))
            await socket.send(json.dumps({"type": "ack", "id": said["id"], **place}, separators=(",", ":")))
    finally:
        people.discard(socket)


async def main():
    async with serve(visit, "127.0.0.1", 0, compression=None, ping_interval=None, backlog=4096) as server:
        print(f"localhost:{server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.get_running_loop().create_future()


asyncio.run(main())
