"""This module asks the services and workers of tests, all with one client.

`httpx.get` makes a client for each request, which reads the certificates of this machine: 20 ms of CPU for every look
at a condition. No connection is kept, as what is asked may have been started anew at the same address. An answer may
take a minute: on a busy machine it does.
"""

from __future__ import annotations

import httpx

_client = httpx.Client(timeout=60, verify=False, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))

request, get, post, put, delete = _client.request, _client.get, _client.post, _client.put, _client.delete
