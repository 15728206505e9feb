#!/usr/bin/env python3
"""A TCP relay that is far away: everything takes DELAY seconds each way.

    relay.py TARGET:PORT DELAY LOG

Listens on a free port of the loopback and prints it. Connecting costs a round
trip too. The line has delay but no width: nothing waits for what was sent
before it.

For each connection that ended, one line is added to LOG: its round trips, and
the bytes of both sides. A round trip is counted when something reaches the
client that the server can have sent in answer to what the client sent last;
what crossed on its way is none, nor is what comes when the client is gone.
"""

import asyncio
import socket
import sys


class Talk:
    """Counts round trips and bytes of one connection."""

    def __init__(self, delay, made):
        self.round_trips = 1  # it was made
        self.there_and_back = 2 * delay - 0.001
        self.made = made
        self.asked_at = None
        self.gone = False
        self.sent = {"client": 0, "server": 0}

    def client_sends(self, size, now):
        self.sent["client"] += size
        self.gone = size == 0
        if self.asked_at is None:
            self.asked_at = max(now, self.made)

    def client_hears(self, size, now):
        self.sent["server"] += size
        asked = self.asked_at
        if size and not self.gone and asked is not None and now - asked >= self.there_and_back:
            self.round_trips += 1
            self.asked_at = None


async def carry(reader, far_end, delay, since, read, delivered):
    """Hands on each piece when its time has come, and then the end."""
    clock = asyncio.get_running_loop().time
    pieces = asyncio.Queue()

    async def deliver():
        writer = await far_end
        while True:
            due, piece = await pieces.get()
            await asyncio.sleep(due - clock())
            delivered(len(piece), clock())
            if not piece:
                break
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()

    delivery = asyncio.create_task(deliver())
    piece = b"-"
    try:
        while piece:
            piece = await reader.read(1 << 16)
            read(len(piece), clock())
            pieces.put_nowait((max(clock(), since) + delay, piece))
    except OSError:
        pieces.put_nowait((clock() + delay, b""))
        raise
    finally:
        await delivery


def nothing(_size, _now):
    """Nobody has to know."""


async def relay(target, delay, log, reader, writer):
    # A client takes this connection for made at once; over the line it would be
    # made, and the client could begin to speak, after two delays, and the server
    # would hear of it after three.
    loop = asyncio.get_running_loop()
    made = loop.time() + 2 * delay
    near_end, far_end = loop.create_future(), loop.create_future()
    near_end.set_result(writer)
    talk = Talk(delay, made)
    there = asyncio.create_task(carry(reader, far_end, delay, made, talk.client_sends, nothing))
    try:
        await asyncio.sleep(3 * delay)
        far_reader, far_writer = await asyncio.open_connection(*target)
        for end in (writer, far_writer):
            end.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        far_end.set_result(far_writer)
        await carry(far_reader, near_end, delay, made, nothing, talk.client_hears)
        await there
        far_writer.close()
    except OSError as error:
        if not far_end.done():
            sys.exit(f"{target}: {error}")
        # Else whoever hung up first is of no interest.
    finally:
        writer.close()
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"{talk.round_trips} {talk.sent['client']} {talk.sent['server']}\n")


async def main(where, delay, log):
    host, port = where.rsplit(":", 1)
    server = await asyncio.start_server(
        lambda reader, writer: relay((host, int(port)), float(delay), log, reader, writer),
        "127.0.0.1",
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    try:
        asyncio.run(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        pass
