"""What the clients in Python have in common. See tests/e2e/src/client.rs."""

import argparse
import asyncio
import json
import sys
import traceback

REDIRECT = "http://127.0.0.1:3999/callback"


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--protocol", default="2026-07-28")
    # Known before: without a secret for people (code flow), with one for itself (client credentials).
    parser.add_argument("--client-id")
    parser.add_argument("--client-secret")
    # Tools to call, in order; `wait` waits for a line.
    parser.add_argument("--calls", default="whoami,delete_everything")
    return parser.parse_args()


def say(step: str, **more) -> None:
    print(json.dumps({"step": step, **more}), flush=True)


def why(error: BaseException) -> str:
    """The innermost of a group of one."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


async def play(calls: str, names, call) -> None:
    say("listed", tools=sorted(await names()))
    for tool in calls.split(","):
        if tool == "wait":
            say("waiting")
            await asyncio.to_thread(sys.stdin.readline)
            continue
        try:
            say("called", tool=tool, text=await call(tool))
        except Exception as error:
            say("refused", tool=tool, error=why(error))


def run(main) -> None:
    try:
        asyncio.run(main)
    except BaseException as error:
        traceback.print_exc()
        say("failed", error=why(error))
        sys.exit(1)
    say("done")
