"""Says which OAuth2 access tokens are good (RFC 7662, token introspection): Dovecot asks it at each XOAUTH2 login.

`NAME-token` is NAME's token. A token whose text is a line of the file `revoked_tokens` in the control directory is
not active any more. What it does not know it asks the authorization server of a test about, whose introspection endpoint
stands in `authorization_server`, if there is one. The files are read at each request and need not exist.

Arguments: address, port, control directory.
"""

import http.server
import json
import ssl
import sys
import urllib.parse
import urllib.request
from http import HTTPStatus
from pathlib import Path

REVOKED = Path(sys.argv[3]) / "revoked_tokens"
AUTHORIZATION_SERVER = Path(sys.argv[3]) / "authorization_server"
ASKING_SECONDS = 5
SUFFIX = "-token"


def introspect(token: str) -> dict[str, object]:
    """Tell of one token what the server of the resource may know: of one that is not good, nothing more."""
    revoked = REVOKED.read_text().split() if REVOKED.exists() else []
    if not token.endswith(SUFFIX) and AUTHORIZATION_SERVER.exists():
        return ask(AUTHORIZATION_SERVER.read_text().strip(), token)
    if not token.endswith(SUFFIX) or token in revoked:
        return {"active": False}
    return {"active": True, "username": token.removesuffix(SUFFIX), "scope": "mail", "token_type": "Bearer"}


def ask(url: str, token: str) -> dict[str, object]:
    """Ask a test's own server, which nobody but the test knows: its certificate is not looked at."""
    context = ssl._create_unverified_context()
    form = urllib.parse.urlencode({"token": token}).encode()
    with urllib.request.urlopen(url, form, ASKING_SECONDS, context=context) as answer:
        told: dict[str, object] = json.load(answer)
    return told


class IntrospectionHandler(http.server.BaseHTTPRequestHandler):
    """Answers the one endpoint, by POST with a form."""

    def do_POST(self) -> None:
        """Answer about the token in the form."""
        form = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        (token,) = urllib.parse.parse_qs(form).get("token", [""])
        body = json.dumps(introspect(token)).encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), IntrospectionHandler).serve_forever()
