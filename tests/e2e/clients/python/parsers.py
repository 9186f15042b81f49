"""Reads challenges as the SDK does. A line in is the `WWW-Authenticate` lines of a response, as a JSON array; a line
out is what the SDK finds."""

import json
import sys

from httpx2 import Response
from mcp.client.auth.utils import (
    extract_field_from_www_auth,
    extract_resource_metadata_from_www_auth,
    extract_scope_from_www_auth,
)

for line in sys.stdin:
    response = Response(401, headers=[("www-authenticate", value) for value in json.loads(line)])
    found = {name: extract_field_from_www_auth(response, name) for name in ("error", "error_description", "realm")}
    found["scope"] = extract_scope_from_www_auth(response)
    found["resource_metadata"] = extract_resource_metadata_from_www_auth(response)
    print(json.dumps({"step": "read", "python": found}), flush=True)
