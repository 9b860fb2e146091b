"""Pages of other origins in a real browser, which do what OpenFeature's web provider does.

They ask for all flags with a key in `Authorization`, and then again with the entity tag that came with the answer.
"""

import functools
import http.server
import shutil
import threading

import pytest
from playwright.sync_api import sync_playwright

from server import run_command

ASK = """
async ({origin, key, tag, path = '/ofrep/v1/evaluate/flags', method = 'POST'}) => {
    const headers = {'Content-Type': 'application/json', ...(key && {'Authorization': `Bearer ${key}`}),
                     ...(tag && {'If-None-Match': tag})};
    const body = method === 'GET' ? undefined : JSON.stringify({context: {targetingKey: 'ada'}});
    try {
        const answer = await fetch(origin + path, {method, headers, body});
        const text = await answer.text();
        return {status: answer.status, tag: answer.headers.get('ETag'), name: answer.headers.get('X-Request-Id'),
                retryAfter: answer.headers.get('Retry-After'), content: text ? JSON.parse(text) : null};
    } catch (error) {
        return {error: String(error)};
    }
}
"""

REFUSED = {"error": "TypeError: Failed to fetch"}
"""What a page learns of an answer that it may not read."""


@pytest.fixture(scope="module")
def browser():
    program = shutil.which("chromium")
    if not program:
        pytest.skip("there is no chromium: ./scripts/install-packages chromium could not install it, or was not run")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


class EmptyPage(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        if self.path == "/nobody":
            # Its pages have an origin that is like no other (HTML, "sandboxed origin browsing context flag").
            self.send_header("Content-Security-Policy", "sandbox allow-scripts")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>shop</title>")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def sites():
    """The origins of two sites, whose pages are empty."""
    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield [f"http://localhost:{server.server_port}" for server in servers]
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def visit(browser):
    """Opens a page of a site; returns what asks a server from there."""
    pages = []

    def open_page(site: str):
        page = browser.new_page()
        pages.append(page)
        page.goto(site)
        return lambda server, **options: page.evaluate(ASK, {"origin": server.origin} | options)

    yield open_page
    for page in pages:
        page.close()


def make_key(data_dir, kind: str, *options) -> str:
    environment = "*" if kind == "admin" else "development"
    made = run_command("keys", "create", "--name", "n", "--kind", kind, "--environment", environment, *options,
                       "--data-dir", data_dir)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


@pytest.fixture
def start(start_server, data_dir):
    """Starts a server that asks for keys, with two flags of which one is for pages; gives it and what makes keys."""

    def run(*origins):
        server = start_server("--auth", "on", env={"FLAG_SERVER_CORS_ORIGINS": ", ".join(origins)})
        admin = make_key(data_dir, "admin", "--role", "admin")
        for key, is_shown in [("dark-mode", True), ("price-engine", False)]:
            flag = {"flagKey": key, "description": "d", "owner": "o", "defaultEnabled": True, "clientSide": is_shown}
            server.expect(201, "POST", "/api/flags", flag, {"Authorization": f"Bearer {admin}"})
        return server, functools.partial(make_key, data_dir)

    return run


def test_a_page_of_a_listed_origin_evaluates_and_reads_the_entity_tag(start, sites, visit):
    server, key_of = start(sites[0])
    ask = visit(sites[0])
    for kind, flags in [("client", ["dark-mode"]), ("server", ["dark-mode", "price-engine"])]:
        key = key_of(kind)
        first = ask(server, key=key)
        assert first["status"] == 200, first
        assert sorted(flag["key"] for flag in first["content"]["flags"] if flag["value"]) == flags
        assert first["tag"] and len(first["name"]) == 32
        again = ask(server, key=key, tag=first["tag"])
        assert (again["status"], again["content"]) == (304, None)
        assert again["name"] != first["name"]


def test_it_reads_why_it_was_refused(start, sites, visit):
    server, key_of = start(sites[0])
    ask = visit(sites[0])
    for key in (None, "fs_server_wrong"):
        answer = ask(server, key=key)
        assert (answer["status"], answer["content"]["code"]) == (401, "unauthorized")
        assert answer["content"]["requestId"] == answer["name"]
    missing = ask(server, key=key_of("server"), path="/ofrep/v1/evaluate/flags/none")
    assert (missing["status"], missing["content"]["errorCode"]) == (404, "FLAG_NOT_FOUND")


def test_a_page_of_another_origin_is_refused_by_server_and_browser(start, sites, visit):
    server, key_of = start(sites[0])
    ask = visit(sites[1])
    for key in (None, key_of("server"), key_of("client")):
        assert ask(server, key=key) == REFUSED
    # Nor does a page come in whose origin is nobody's, wherever it is from.
    assert visit(f"{sites[0]}/nobody")(server, key=key_of("client")) == REFUSED


def test_a_listed_origin_may_not_administer(start, sites, visit):
    server, key_of = start(sites[0])
    ask, key = visit(sites[0]), key_of("admin", "--role", "admin")
    assert ask(server, key=key)["status"] == 200
    for method, path in [("POST", "/api/flags"), ("GET", "/api/flags"), ("DELETE", "/api/flags/dark-mode"),
                         ("POST", "/api/explain")]:
        assert ask(server, key=key, path=path, method=method) == REFUSED


def test_every_page_may_ask_with_a_client_key_where_all_are_listed(start, sites, visit):
    server, key_of = start("*")
    client, secret = key_of("client"), key_of("server")
    for site in (*sites, f"{sites[0]}/nobody"):
        ask = visit(site)
        first = ask(server, key=client)
        assert first["status"] == 200 and first["tag"], (site, first)
        assert [flag["key"] for flag in first["content"]["flags"]] == ["dark-mode"]
        assert ask(server, key=client, tag=first["tag"])["status"] == 304
        assert ask(server, key=secret) == REFUSED


def test_without_keys_a_listed_origin_needs_none(start_server, sites, visit):
    server = start_server(env={"FLAG_SERVER_CORS_ORIGINS": sites[0]})
    server.create_flag("dark-mode", defaultEnabled=True)
    first = visit(sites[0])(server)
    assert (first["status"], [flag["key"] for flag in first["content"]["flags"]]) == (200, ["dark-mode"])
    assert visit(sites[1])(server) == REFUSED
