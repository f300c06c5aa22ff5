"""An HTTP proxy for the tests: it takes CONNECT alone, leads every tunnel to one place on loopback, and
remembers which hosts were asked for. With a user and a password where they are given; with TLS to the
client where a certificate is."""

import base64
import socket
import ssl
import threading

HEAD_MAX = 65536


class Proxy:
    def __init__(self, port, user=None, password=None, refused=(), offers="Basic realm=\"proxy\"",
                 tls=None, elsewhere=None):
        """Tunnels lead to that port, those to hosts of `elsewhere` to the ports there. `refused`: hosts that it leads nobody to. `offers`: how to log in,
        where it wants a user. `tls`: (certificate, key) of its own."""
        self.target = port
        self.elsewhere = elsewhere or {}
        self.credentials = user and base64.b64encode(f"{user}:{password}".encode()).decode()
        self.refused = set(refused)
        self.offers = offers
        self.asked = []  # "host:port", as asked for
        self.denied = 0  # of these, without the right credentials
        self._context = None
        if tls:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*tls)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://localhost:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def hosts(self):
        return {place.rpartition(":")[0] for place in self.asked}

    def end(self):
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            if self._context:
                client = self._context.wrap_socket(client, server_side=True)
            with client:
                self._answer(client)
        except OSError:
            pass

    def _answer(self, client):
        head = b""
        while b"\r\n\r\n" not in head and len(head) < HEAD_MAX:
            piece = client.recv(4096)
            if not piece:
                return
            head += piece
        lines = head.decode("latin-1").split("\r\n")
        method, place, _ = lines[0].split(" ")
        self.asked.append(place)
        status = self._refusal(method, place.rpartition(":")[0], lines[1:])
        if status:
            challenge = f"Proxy-Authenticate: {self.offers}\r\n" if "407" in status else ""
            client.sendall(f"HTTP/1.1 {status}\r\n{challenge}Content-Length: 0\r\n\r\n".encode())
            return
        port = self.elsewhere.get(place.rpartition(":")[0], self.target)
        with socket.create_connection(("127.0.0.1", port)) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            _copy(client, server)
            back.join()

    def _refusal(self, method, host, headers):
        if method != "CONNECT":
            return "405 Method Not Allowed"
        expected = f"proxy-authorization: basic {self.credentials}".lower()
        if self.credentials and not any(line.lower() == expected for line in headers):
            self.denied += 1
            return "407 Proxy Authentication Required"
        return "403 Forbidden" if host in self.refused else None


def _copy(source, sink):
    try:
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
