"""An HTTP server on a loopback port, in threads of the test, with TLS or without."""

import http.server
import socket
import ssl
import threading

PATIENCE = 60  # s, for a client that says nothing


class Listener(http.server.ThreadingHTTPServer):
    """`certificate`: (certificate, key), None: no TLS; `clients`: who issues the certificates of
    clients."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler, certificate=None, clients=None):
        super().__init__(("127.0.0.1", 0), handler)
        self._tls = None
        if certificate:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*certificate)
        if clients:
            self._tls.load_verify_locations(clients)
            self._tls.verify_mode = ssl.CERT_OPTIONAL
        self.port = self.server_address[1]
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02},
                                        daemon=True)
        self._thread.start()

    def stop(self):
        self.shutdown()
        self.server_close()
        self._thread.join()

    def get_request(self):
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls:
            connection = self._tls.wrap_socket(connection, server_side=True,
                                               do_handshake_on_connect=False)
        return connection, address

    def finish_request(self, request, client_address):
        """In the connection's own thread, because a client may be slow to shake hands."""
        request.settimeout(PATIENCE)
        if self._tls:
            request.do_handshake()
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        """Clients that go away, or refuse the certificate, are what the tests want."""
