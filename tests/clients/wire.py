"""Requests of different clients, compared whole but for what is listed here."""

import json
import urllib.parse

# Headers that everybody sends, of a value of their own.
OWN_VALUES = {
    "user-agent": "everybody's own name",
    "authorization": "everybody's own token (which has to be a bearer's)",
    "x-ms-client-request-id": "a UUID for each request",
    "accept-encoding": "the daemon takes answers as they are, the others compressed ones",
    "content-length": "that of a body that is written with or without blanks (and has to be right)",
}
# Headers that not everybody sends.
OWN_HEADERS = {
    "x-ms-correlation-request-id": "the daemon's: one UUID for all requests of a step, to be found in the log",
    "x-ms-return-client-request-id": "the daemon's: asks for its UUID in the answer",
    "connection": "how to go on with the connection; the daemon leaves that open, as HTTP/1.1 does",
    "commandname": "az's: what was typed",
    "parametersetname": "az's: and with which options",
}


def headers_of(exchange):
    return {name.lower(): value for name, value in exchange["headers"]}


def comparable(exchange, version):
    """The request without what may differ."""
    headers = headers_of(exchange)
    body = exchange["body"] or ""
    if "content-length" in headers:
        assert headers["content-length"] == str(len(body))
    assert headers["authorization"].startswith("Bearer ")
    path, _, query = exchange["target"].partition("?")
    query = urllib.parse.parse_qs(query, keep_blank_values=True, strict_parsing=True)
    assert query.pop("api-version") == [version]
    return {"method": exchange["method"], "path": path, "query": query, "body": body and json.loads(body),
            "headers": {name: None if name in OWN_VALUES else value for name, value in headers.items()
                        if name not in OWN_HEADERS}}
