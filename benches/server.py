"""The server that is measured against."""

import base64, json, os, pathlib, shutil, signal, socket, subprocess, sys, tempfile, time

from shell import sh

BUNDLE = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")


class Server:
    """nginx with a fixed answer and a certificate that only this run trusts."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="zelf-bench-"))
        self.ca = self.dir / "cert.pem"
        sh("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
           "-nodes", "-keyout", self.dir / "key.pem", "-out", self.ca, "-days", "2",
           "-subj", "/CN=localhost", "-addext", "basicConstraints=critical,CA:FALSE",
           "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        # The system's authorities and this one, where every client looks for them.
        self.system_ca = self.dir / "system.pem"
        self.system_ca.write_text(BUNDLE.read_text() + self.ca.read_text())
        self.environment = dict(os.environ, SSL_CERT_FILE=str(self.system_ca))
        # A folder of authorities would be read as well.
        self.environment.pop("SSL_CERT_DIR", None)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        bodies = self.dir / "bodies"
        bodies.mkdir()
        for size in (1_000, 100_000):
            (bodies / str(size)).write_bytes(b"x" * size)
        (self.dir / "nginx.conf").write_text(self.configuration())
        self.process = subprocess.Popen(["nginx", "-c", self.dir / "nginx.conf", "-p", self.dir],
                                        stderr=subprocess.DEVNULL)
        self.url = f"https://localhost:{self.port}"
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        sys.exit("nginx did not start")

    def configuration(self):
        return f"""
            daemon off; worker_processes 1; pid {self.dir}/pid; error_log {self.dir}/error.log;
            events {{ worker_connections 1024; }}
            http {{
              access_log off; client_body_temp_path {self.dir}; proxy_temp_path {self.dir};
              fastcgi_temp_path {self.dir}; uwsgi_temp_path {self.dir}; scgi_temp_path {self.dir};
              keepalive_timeout 60; keepalive_requests 100000000;
              server {{
                listen 127.0.0.1:{self.port} ssl;
                ssl_certificate {self.ca}; ssl_certificate_key {self.dir}/key.pem;
                ssl_protocols TLSv1.2 TLSv1.3;
                location = /api/sessions {{
                  default_type "application/json; charset=utf-8";
                  return 200 '{self.answer()}';
                }}
                location /bodies/ {{ root {self.dir}; default_type application/json; }}
              }}
            }}"""

    @staticmethod
    def answer():
        # As large as a real one. It names no identifier: each thread has its own.
        now = int(time.time())
        claims = {"domain": "zelf", "ethAddress": None, "ip": "127.0.0.1",
                  "session": "6b046f22a3a4beeef871b899", "tagName": "x" * 40, "iat": now}
        part = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode()
        token = ".".join([part(b'{"alg":"HS256","typ":"JWT"}'),
                          part(json.dumps(claims, separators=(",", ":")).encode()), part(b"s" * 32)])
        return json.dumps({"data": {"token": token, "activatedAt": now, "expiresAt": now + 86400}},
                          separators=(",", ":"))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
