"""Say something to a server, line by line, as with telnet, and show all that it answers.

python lessons/say.py --port 8000 'GET /hello HTTP/1.1' 'Host: localhost' ''
"""

from __future__ import annotations

import argparse
import socket
import time

from client import wait_for_server


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--timeout", type=float, default=10.0, help="seconds to wait for the end")
    parser.add_argument("lines", nargs="+")
    options = parser.parse_args()
    wait_for_server(options.port)
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", options.port)) as connection:
        (here, port), (there, its_port) = connection.getsockname(), connection.getpeername()
        print(f"({here}:{port}, {there}:{its_port})")
        connection.sendall("".join(line + "\r\n" for line in options.lines).encode())
        try:
            while True:
                left = options.timeout - (time.monotonic() - started)
                connection.settimeout(max(left, 0.001))
                if not (piece := connection.recv(65536)):
                    print("(the server closed: FIN)")
                    break
                print(piece.decode("latin-1").replace("\r\n", "\n"), end="")
        except TimeoutError:
            print(f"(no end after {options.timeout:.1f} s: the connection is still open)")
        except OSError as problem:
            print(f"({problem})")


if __name__ == "__main__":
    main()
