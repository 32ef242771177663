"""Gets a session and sends a request with it.

session.py [BASE_URL [CA_FILE]]: without arguments it talks to the public API.
"""

import sys

import zelf

base_url, ca_file = (sys.argv[1:] + [None, None])[:2]

with zelf.Client(base_url=base_url, ca_file=ca_file) as client:
    with zelf.SessionProvider(client, identifier=zelf.random_identifier()) as provider:
        print(f"a session for {provider.get().seconds_left} s")
        found = provider.send(zelf.Request("GET", "/api/tags/search?tagName=a.zelf"))
        print(found.http_status, found.json())
