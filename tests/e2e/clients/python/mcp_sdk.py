"""The official SDK: mcp_sdk.py URL [--protocol …] [--client-id … [--client-secret …]] [--calls …]"""

from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp.client.auth import OAuthClientProvider, TokenStorage
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.client.auth.oauth2 import AuthorizationCodeResult
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata

import person
from common import REDIRECT, options, play, run, say

told = options()
METADATA = {
    "redirect_uris": [REDIRECT],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
}


class Memory(TokenStorage):
    tokens = client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info):
        self.client = client_info


def provider():
    memory = Memory()
    if told.client_secret:
        return ClientCredentialsOAuthProvider(told.url, memory, told.client_id, told.client_secret)
    if told.client_id:
        memory.client = OAuthClientInformationFull(client_id=told.client_id, **METADATA)
    to_visit = []

    async def redirect(url: str) -> None:
        to_visit.append(url)

    async def callback() -> AuthorizationCodeResult:
        back = person.visit(to_visit.pop(), lambda url: url.startswith(REDIRECT))
        query = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
        return AuthorizationCodeResult(**{name: query[name] for name in ("code", "state", "iss") if name in query})

    metadata = OAuthClientMetadata(client_name="palisade-e2e", **METADATA)
    return OAuthClientProvider(told.url, metadata, memory, redirect, callback)


async def main() -> None:
    mode = "legacy" if told.protocol == "2025-11-25" else told.protocol
    async with httpx2.AsyncClient(auth=provider(), timeout=30) as http:
        async with Client(streamable_http_client(told.url, http_client=http), mode=mode) as client:
            say("connected", protocol=client.protocol_version)

            async def names():
                return [tool.name for tool in (await client.list_tools()).tools]

            async def call(tool):
                return (await client.call_tool(tool, {})).content[0].text

            await play(told.calls, names, call)


run(main())
