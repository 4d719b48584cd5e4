"""Serves the domain's MTA-STS policy (RFC 8461 section 3.3) and its autoconfig file by HTTPS.

Arguments: address, port, the file with key and certificate chain, the policy file, the autoconfig file. The files
are read at each request.
"""

import http.server
import ssl
import sys
from http import HTTPStatus
from pathlib import Path

FILES = {"/.well-known/mta-sts.txt": Path(sys.argv[4]), "/mail/config-v1.1.xml": Path(sys.argv[5])}


class PolicyHandler(http.server.BaseHTTPRequestHandler):
    """Answers the two well-known paths."""

    def do_GET(self) -> None:
        """Answer with the file, or that there is none."""
        file = FILES.get(self.path.partition("?")[0])
        is_there = file is not None and file.exists()
        body = file.read_bytes() if file is not None and is_there else b"not found\n"
        self.send_response(HTTPStatus.OK if is_there else HTTPStatus.NOT_FOUND)
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
