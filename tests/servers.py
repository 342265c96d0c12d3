"""Servers on this machine that are slow, broken or lying."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Answer = bytes | Callable[[socket.socket, threading.Event], object]


def whole(content: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """An answer as it should be."""
    return (
        "\r\n".join(
            [
                f"HTTP/1.1 {status}",
                f"Content-Length: {len(content)}",
                "Connection: close",
                *headers,
                "",
                "",
            ]
        ).encode()
        + content
    )


def unending(head: str) -> Answer:
    """A head, then bytes for as long as somebody takes them."""

    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(head.encode())
        while not over.is_set():
            connection.sendall(bytes(2**16))

    return answer


def stalling(first: bytes) -> Answer:
    """A few bytes, then silence."""

    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(first)
        over.wait()

    return answer


def dripping(head: bytes) -> Answer:
    """A byte now and then, never silent for long."""

    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(head)
        while not over.wait(0.02):
            connection.sendall(b"x")

    return answer


def resetting(connection: socket.socket, _: threading.Event) -> None:
    """A connection that is torn down at once."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextmanager
def serving(*answers: Answer) -> Iterator[tuple[str, list[bytes]]]:
    """Give the address of a server and the requests it has got.

    Its n-th connection gets the n-th answer, later ones the last.
    """
    asked: list[bytes] = []
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer(connection: socket.socket, chosen: Answer) -> None:
            with connection, suppress(OSError):
                if callable(chosen):
                    chosen(connection, over)
                else:
                    connection.sendall(chosen)

        def listen() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    if over.is_set():
                        connection.close()
                        return
                    asked.append(connection.recv(2**16))
                    chosen = answers[min(len(asked), len(answers)) - 1]
                    threading.Thread(target=answer, args=(connection, chosen), daemon=True).start()

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
        finally:
            over.set()
            with socket.create_connection(listener.getsockname()):
                thread.join()


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
