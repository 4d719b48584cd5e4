"""Serves the domain's MTA-STS policy by HTTPS (RFC 8461 section 3.3), from a file.

Arguments: address, port, the file with key and certificate chain, the policy file, which is read
at each request.
"""

import http.server
import ssl
import sys
from http import HTTPStatus
from pathlib import Path

POLICY = Path(sys.argv[4])


class PolicyHandler(http.server.BaseHTTPRequestHandler):
    """Answers the one well-known path."""

    def do_GET(self) -> None:
        """Answer with the policy, or that there is none."""
        is_policy = self.path == "/.well-known/mta-sts.txt" and POLICY.exists()
        body = POLICY.read_bytes() if is_policy else b"not found\n"
        self.send_response(HTTPStatus.OK if is_policy else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until killed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3])
    server = http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), PolicyHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


if __name__ == "__main__":
    main()
