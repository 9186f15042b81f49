"""The person at the browser: follows redirects, with cookies, until one leads back to the client.

Signing in asks for nothing, see tests/authorization-server. Called as a program, it is the browser of clients that
open one, and goes to the client's own page too.
"""

import sys
import time
from urllib.parse import urljoin

import httpx2

PATIENCE = 30.0


def visit(start: str, is_end) -> str:
    with httpx2.Client(follow_redirects=False, timeout=PATIENCE) as http:
        here = start
        for _ in range(10):
            answer = http.get(here)
            if "location" not in answer.headers:
                raise RuntimeError(f"{here} leads nowhere: {answer.status_code} {answer.text}")
            here = urljoin(here, answer.headers["location"])
            if is_end(here):
                return here
    raise RuntimeError("too many redirects")


def show(url: str) -> None:
    """Opens a page of the client, which may not be there yet."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            httpx2.get(url, timeout=PATIENCE)
            return
        except httpx2.ConnectError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


if __name__ == "__main__":
    show(visit(sys.argv[1], lambda url: "/callback?" in url))
