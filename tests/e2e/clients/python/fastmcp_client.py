"""fastmcp, as its documentation has it: fastmcp_client.py URL [--protocol …] [--client-id …] [--calls …]

It opens a browser, which is what `BROWSER` says, and listens for the way back itself.
"""

import os
import sys
from pathlib import Path

os.environ["BROWSER"] = f"{sys.executable} {Path(__file__).with_name('person.py')} %s &"

from fastmcp import Client
from fastmcp.client.auth import OAuth

from common import options, play, run, say

told = options()


async def main() -> None:
    auth = OAuth(client_id=told.client_id) if told.client_id else "oauth"
    mode = "legacy" if told.protocol == "2025-11-25" else "auto"
    async with Client(told.url, auth=auth, mode=mode) as client:
        say("connected", protocol=client.protocol_version)

        async def names():
            return [tool.name for tool in await client.list_tools()]

        async def call(tool):
            return (await client.call_tool(tool, {})).content[0].text

        await play(told.calls, names, call)


run(main())
