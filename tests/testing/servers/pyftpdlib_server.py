"""Runs pyftpdlib as the JSON file named by the first argument says."""

# Imported now what others import when they need it, since the rights to read it may be gone by then.
import _strptime  # noqa: F401
import json
import logging
import os
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    config = json.load(file)
if not config.get("tls"):
    sys.modules["OpenSSL"] = None  # half of the time of a start

from pyftpdlib import handlers  # noqa: E402
from pyftpdlib.authorizers import DummyAuthorizer  # noqa: E402
from pyftpdlib.servers import FTPServer  # noqa: E402

DAEMON = 1


def main() -> None:
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)

    permissions = "elradfmwMT" if config["writable"] else "elr"
    authorizer = DummyAuthorizer()
    authorizer.add_user(config["user"], config["password"], config["root"], perm=permissions)
    if config["anonymous"]:
        authorizer.add_anonymous(config["root"])

    tls = config.get("tls")
    handler = handlers.TLS_FTPHandler if tls else handlers.FTPHandler
    handler.authorizer = authorizer
    handler.use_gmt_times = True
    handler.auth_failed_timeout = 0
    handler.max_login_attempts = 1000
    if config.get("passivePorts"):
        first, last = config["passivePorts"]
        handler.passive_ports = range(first, last + 1)
    if config.get("idleTimeout"):
        handler.timeout = config["idleTimeout"]
    if config.get("dataTimeout"):
        handler.dtp_handler.timeout = config["dataTimeout"]
    if tls:
        set_up_tls(handler, tls)

    server = FTPServer((config["host"], config["port"]), handler)
    server.max_cons = 512
    server.max_cons_per_ip = 0
    for statement in config["extra"]:
        exec(statement, {"handler": handler, "authorizer": authorizer, "server": server})
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(DAEMON)
        os.setuid(DAEMON)
    server.serve_forever()


def set_up_tls(handler, tls) -> None:
    handler.certfile = tls["certificate"]
    handler.keyfile = tls["key"]
    handler.tls_control_required = tls.get("required", False)
    handler.tls_data_required = tls.get("required", False)
    context = handler.get_ssl_context()
    # OP_NO_TLSv1_3 and the like are unset: the version is pinned by OpenSSL's configuration file.
    if tls.get("clientAuthority"):
        from OpenSSL import SSL

        context.load_verify_locations(tls["clientAuthority"])
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *args: args[-1])
    handler.ssl_context = context
    if tls["mode"] == "implicit":
        greet = handler.handle

        def handle(self) -> None:
            self.secure_connection(self.ssl_context)
            greet(self)

        handler.handle = handle


main()
