"""Tokens as the libraries of others make, read and forge them."""

import base64
import hashlib
import hmac
import http.server
import json
import threading
import time

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from server import FlagServer, await_true, run_command
from test_keys import bearing, make, selector


@pytest.fixture
def guarded(start_server) -> FlagServer:
    """A server that asks everybody who they are."""
    return start_server("--auth", "on")


def exchange(server: FlagServer, key: str) -> str:
    """A token for a key."""
    answer = requests.post(f"{server.origin}/api/auth/token", auth=(selector(key), key),
                           data={"grant_type": "client_credentials"}, timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def status(server: FlagServer, token: str) -> int:
    return server.request("GET", "/api/whoami", headers=bearing(token))[0]


def forged(header: dict, claims: dict, sign) -> str:
    """A token put together by hand, as no library would."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    signed = b".".join(parts)
    return (signed + b"." + base64.urlsafe_b64encode(sign(signed)).rstrip(b"=")).decode()


def test_another_library_reads_our_tokens_by_our_published_keys(guarded):
    key = make(guarded, "admin", "--role", "viewer", "--tenant", "acme")
    token = exchange(guarded, key)
    published = jwt.PyJWKClient(f"{guarded.origin}/.well-known/jwks.json").get_signing_key_from_jwt(token)
    claims = jwt.decode(token, published.key, algorithms=["ES256"], audience="flag-server", issuer="flag-server",
                        options={"require": ["exp", "iat", "nbf", "jti", "sub"]})
    assert claims["sub"] == f"key {selector(key)}" and claims["kind"] == "key" and claims["tenantId"] == "acme"
    assert claims["roles"] == ["viewer"] and claims["environments"]["production"] == ["read"]
    assert 0 < claims["exp"] - claims["iat"] <= 3600
    assert jwt.get_unverified_header(token)["kid"] == published.key_id


def test_tokens_are_good_after_a_restart_and_after_a_crash(guarded):
    token = exchange(guarded, make(guarded, "server"))
    assert status(guarded, token) == 200
    guarded.kill()
    guarded.start()
    assert status(guarded, token) == 200


def test_no_token_that_somebody_else_made_gets_in(guarded):
    token = exchange(guarded, make(guarded, "admin", "--role", "admin"))
    claims = jwt.decode(token, options={"verify_signature": False})
    header = jwt.get_unverified_header(token)
    jwk = requests.get(f"{guarded.origin}/.well-known/jwks.json", timeout=20).json()["keys"][0]
    public = jwt.PyJWK(jwk).key
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    mine = ec.generate_private_key(ec.SECP256R1())
    my_jwk = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(mine.public_key()))

    def by_secret(secret: bytes):
        return lambda text: hmac.new(secret, text, hashlib.sha256).digest()

    def by_me(more: dict, other: dict | None = None) -> str:
        return jwt.encode(claims | (other or {}), mine, algorithm="ES256", headers={"kid": header["kid"]} | more)

    now = int(time.time())
    attempts = {
        "unsigned": forged({"alg": "none", "kid": header["kid"]}, claims, lambda text: b""),
        "unsigned with our signature": forged({"alg": "none"}, claims, lambda text: b"x"),
        "our public key as a secret": forged({"alg": "HS256", "kid": header["kid"]}, claims, by_secret(pem)),
        "our public key's JWK as a secret": forged(
            {"alg": "HS256", "kid": header["kid"]}, claims, by_secret(json.dumps(jwk).encode())),
        "another key under our name": by_me({}),
        "another key that it brings along": by_me({"jwk": my_jwk}),
        "another key from elsewhere": by_me({"jku": "http://127.0.0.1:1/jwks"}),
        "another key's name": by_me({"kid": "../../access.key"}),
        "no key's name": jwt.encode(claims, mine, algorithm="ES256"),
        "ended": by_me({}, {"exp": now - 120}),
        "early": by_me({}, {"nbf": now + 120}),
        "another audience": by_me({}, {"aud": "other"}),
        "another issuer": by_me({}, {"iss": "https://evil.example"}),
        "the server itself": by_me({}, {"sub": "server"}),
        "somebody of this machine": by_me({}, {"sub": "local:root"}),
        "huge": by_me({}, {"x": "y" * 20_000}),
        "cut off": token[:-10],
        "a signature of zeros": token.rsplit(".", 1)[0] + "." + "A" * 86,
    }
    for name, attempt in attempts.items():
        assert status(guarded, attempt) in (401, 431), name
    assert status(guarded, token) == 200


def test_a_flood_of_made_up_tokens_keeps_nobody_out(guarded):
    key = make(guarded, "admin", "--role", "viewer")
    token = exchange(guarded, key)
    claims = jwt.decode(token, options={"verify_signature": False})
    kid = jwt.get_unverified_header(token)["kid"]
    mine = ec.generate_private_key(ec.SECP256R1())
    # With the revision, which only whoever has seen a token of the key can know: the worst there is.
    made_up = [jwt.encode(claims | {"jti": str(number)}, mine, algorithm="ES256", headers={"kid": kid})
               for number in range(200)]
    over = threading.Event()
    statuses: set[int] = set()

    def flood():
        session = requests.Session()
        while not over.is_set():
            for attempt in made_up:
                statuses.add(session.get(f"{guarded.origin}/api/whoami", headers=bearing(attempt)).status_code)
                if over.is_set():
                    break

    attackers = [threading.Thread(target=flood) for _ in range(4)]
    for attacker in attackers:
        attacker.start()
    try:
        for _ in range(10):
            assert status(guarded, exchange(guarded, key)) == 200
    finally:
        over.set()
        for attacker in attackers:
            attacker.join()
    assert statuses <= {401, 429, 503} and statuses


def test_a_revoked_key_takes_its_tokens_with_it_on_every_loop(guarded):
    admin, key = make(guarded, "admin", "--role", "admin"), make(guarded, "server")
    token = exchange(guarded, key)
    sessions = [requests.Session() for _ in range(16)]
    for session in sessions:
        assert session.get(f"{guarded.origin}/api/whoami", headers=bearing(token)).status_code == 200
    guarded.expect(200, "DELETE", f"/api/keys/{selector(key)}", headers=bearing(admin))
    for session in sessions:
        assert session.get(f"{guarded.origin}/api/whoami", headers=bearing(token)).status_code == 401


class Issuer:
    """Somebody else who issues tokens: a small web server with a key set that can be exchanged and taken down."""

    def __init__(self):
        self.keys: dict[str, tuple] = {}
        self.is_down = False
        self.asked = 0
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked += 1
                body = json.dumps({"keys": [jwk for _, _, jwk in issuer.keys.values()]}).encode()
                self.send_response(503 if issuer.is_down else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def add(self, kid: str, algorithm: str):
        if algorithm.startswith(("RS", "PS")):
            key, kind = rsa.generate_private_key(65537, 2048), jwt.algorithms.RSAAlgorithm
        elif algorithm == "EdDSA":
            key, kind = ed25519.Ed25519PrivateKey.generate(), jwt.algorithms.OKPAlgorithm
        else:
            curve = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1}[algorithm]
            key, kind = ec.generate_private_key(curve()), jwt.algorithms.ECAlgorithm
        self.keys[kid] = (key, algorithm, json.loads(kind.to_jwk(key.public_key())) | {"kid": kid, "use": "sig"})

    def token(self, kid: str, key=None, algorithm: str | None = None, **claims) -> str:
        now = int(time.time())
        own, own_algorithm, _ = self.keys[kid]
        whole = {"iss": self.url, "sub": "ada", "aud": "flags", "iat": now, "exp": now + 300, "groups": ["readers"]}
        return jwt.encode(whole | claims, key or own, algorithm=algorithm or own_algorithm, headers={"kid": kid})

    def settings(self, **more) -> dict:
        return {"issuer": self.url, "audience": "flags", "keys": f"{self.url}/jwks", "claim": "groups",
                "algorithms": ["RS256", "ES256", "ES384", "PS256", "EdDSA"],
                "roles": [{"value": "readers", "role": "viewer", "environment": "*"},
                          {"value": "on-call", "role": "operator", "environment": "prod"}]} | more

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def issuer():
    made = Issuer()
    yield made
    made.close()


def trusting(start_server, tmp_path, *issuers: dict) -> FlagServer:
    """A server that takes the tokens of issuers."""
    path = tmp_path / "issuers.json"
    path.write_text(json.dumps({"issuers": list(issuers)}))
    return start_server("--auth", "on", env={"FLAG_SERVER_TOKENS_ISSUERS": str(path)})


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "ES384", "EdDSA"])
def test_tokens_of_others_get_in_with_the_roles_that_their_claim_gives(start_server, tmp_path, issuer, algorithm):
    issuer.add("one", algorithm)
    server = trusting(start_server, tmp_path, issuer.settings())
    await_true(lambda: status(server, issuer.token("one")) == 200, 20)
    me = server.expect(200, "GET", "/api/whoami", headers=bearing(issuer.token("one", groups=["on-call", "x"])))
    assert me["principal"] == f"account ada@{issuer.url}" and list(me["environments"]) == ["production"]
    assert "use kill switches" in me["environments"]["production"]
    assert status(server, issuer.token("one", groups=[])) == 401
    assert status(server, issuer.token("one", aud="others")) == 401
    assert status(server, issuer.token("one", exp=int(time.time()) - 61)) == 401
    assert status(server, issuer.token("one", nbf=int(time.time()) + 120)) == 401
    assert status(server, issuer.token("one", iss="https://other.example")) == 401


def test_an_issuer_keeps_to_its_algorithms_and_to_its_own_keys(start_server, tmp_path, issuer):
    for kid, algorithm in [("rsa", "RS256"), ("ec", "ES256")]:
        issuer.add(kid, algorithm)
    server = trusting(start_server, tmp_path, issuer.settings(algorithms=["RS256"]))
    await_true(lambda: status(server, issuer.token("rsa")) == 200, 20)
    assert status(server, issuer.token("ec")) == 401
    other = rsa.generate_private_key(65537, 2048)
    assert status(server, issuer.token("rsa", key=other)) == 401
    public = issuer.keys["rsa"][0].public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    claims = jwt.decode(issuer.token("rsa"), options={"verify_signature": False})
    confused = forged({"alg": "HS256", "kid": "rsa"}, claims,
                      lambda text: hmac.new(public, text, hashlib.sha256).digest())
    assert status(server, confused) == 401
    # Nor does it speak for the server itself.
    assert status(server, issuer.token("rsa", iss="flag-server", aud="flag-server", sub="local:root")) == 401


def test_a_new_key_is_fetched_and_old_ones_outlive_their_source(start_server, tmp_path, issuer):
    issuer.add("one", "ES256")
    server = trusting(start_server, tmp_path, issuer.settings())
    await_true(lambda: status(server, issuer.token("one")) == 200, 20)
    asked = issuer.asked
    issuer.add("two", "ES256")
    assert status(server, issuer.token("two")) == 200
    assert issuer.asked == asked + 1
    issuer.is_down = True
    issuer.add("three", "ES256")
    for _ in range(20):
        assert status(server, issuer.token("three")) == 401
    assert issuer.asked == asked + 1, "once a minute at most"
    assert status(server, issuer.token("one", jti="new")) == 200
    # A key that is taken away ends its tokens when the set is read again.
    assert status(server, issuer.token("two", jti="new")) == 200


def test_mistakes_in_the_file_of_issuers_are_all_told(tmp_path):
    path = tmp_path / "issuers.json"
    path.write_text(json.dumps({"issuers": [
        {"issuer": "flag-server", "audience": "", "keys": "http://evil.example/jwks", "algorithms": ["HS256"],
         "claim": "groups", "roles": [{"value": "a", "role": "king", "environment": "moon"}], "more": 1},
        {"issuer": "b", "audience": "b", "keys": str(tmp_path / "none.json"), "claim": "x", "roles": []},
    ]}))
    checked = run_command("serve", "--check", env={"FLAG_SERVER_TOKENS_ISSUERS": str(path)}, cwd=tmp_path)
    assert checked.returncode != 0
    for place in ["/issuers/0/issuer", "/issuers/0/audience", "/issuers/0/keys", "/issuers/0/algorithms",
                  "/issuers/0/roles/0/role", "/issuers/0/roles/0/environment", "/issuers/0/more", "/issuers/1/roles"]:
        assert place in checked.stderr, checked.stderr
