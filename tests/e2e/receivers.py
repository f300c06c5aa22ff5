"""What takes keys other than files: a server with webhooks, and a program behind a Unix socket."""

import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import socket
import socketserver
import subprocess
import threading
import time

from listener import Listener

DELIVERED = '{"result":"delivered"}\n'


def pin_of(certificate):
    """As curl and the configuration have it."""
    public = subprocess.run(["openssl", "x509", "-in", certificate, "-pubkey", "-noout"],
                            check=True, capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=public, check=True,
                         capture_output=True).stdout
    return "sha256//" + base64.b64encode(hashlib.sha256(der).digest()).decode()


def signature(secret, message):
    """What Standard Webhooks asks for, with Python's own means."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message.id}.{message.timestamp}.".encode() + message.bytes
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


class Message:
    """One that was received."""

    def __init__(self, handler, body):
        self.path = handler.path
        self.headers = handler.headers
        self.id = handler.headers["webhook-id"]
        self.timestamp = handler.headers["webhook-timestamp"]
        self.signatures = handler.headers["webhook-signature"].split(" ")
        self.bytes = body
        self.at = time.time()
        self.body = json.loads(body)
        self.data = self.body["data"]


class WebhookServer:
    """A server with TLS. `answer`: its status, or a function of the message that returns one;
    None: it hangs."""

    def __init__(self, certificate, key, answer=200):
        self.messages = []
        self.answer = answer
        receiver = self
        self._ended = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                message = Message(self, body)
                status = receiver.answer(message) if callable(receiver.answer) else receiver.answer
                receiver.messages.append(message)
                if status is None:
                    receiver._ended.wait()
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format, *arguments):
                pass

        self._listener = Listener(Handler, (certificate, key))
        self.port = self._listener.port
        self.url = self._listener.url

    def of(self, account):
        return [message for message in list(self.messages) if message.data["account"] == account]

    def stop(self):
        self._ended.set()
        self._listener.stop()


class Program:
    """Listens at a Unix socket. `answer`: what it answers, as text or bytes, or a function of the form
    that returns it; None: it hangs."""

    def __init__(self, path, answer=DELIVERED):
        self.forms = []
        self.answer = answer
        program = self
        self._ended = threading.Event()

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                form = json.loads(self.rfile.read())
                answer = program.answer(form) if callable(program.answer) else program.answer
                program.forms.append(form)
                if answer is None:
                    program._ended.wait()
                else:
                    with contextlib.suppress(OSError):
                        self.wfile.write(answer if isinstance(answer, bytes) else answer.encode())

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request, client_address):
                pass

        self._server = Server(str(path), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def of(self, account):
        return [form for form in list(self.forms) if form["account"] == account]

    def stop(self):
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()


# --- what listens at the path of a place (ways.Place) until its end ---

def answers(answer):
    """A program that does so."""
    def start(at):
        at.ends.append(Program(at.path, answer).stop)
    return start


def listen(at, kind=socket.SOCK_STREAM, backlog=16):
    """Closed at the end, and open meanwhile."""
    listener = socket.socket(socket.AF_UNIX, kind)
    listener.bind(str(at.path))
    if kind != socket.SOCK_DGRAM:
        listener.listen(backlog)
    at.ends.append(listener.close)
    return listener


def left_behind(at):
    listen(at).close()


def full(at):
    """The queue takes one more than its length, and nobody accepts."""
    listen(at, backlog=0)
    waiting = socket.socket(socket.AF_UNIX)
    waiting.connect(str(at.path))
    at.ends.append(waiting.close)


def handles(what):
    """What becomes of each connection: what(connection)."""
    def start(at):
        listener = listen(at)

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                what(connection)
                connection.close()
        threading.Thread(target=serve, daemon=True).start()
        at.ends.insert(0, lambda: listener.shutdown(socket.SHUT_RDWR))
    return start
