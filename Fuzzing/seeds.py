"""Writes what fuzzing begins with: the public vectors where they are there, and a few texts of its own.

    python3 Fuzzing/seeds.py FOLDER     writes FOLDER/{http,json,rules,store}/* and FOLDER/words-{http,rules}
"""

import base64
import json
import sys
from pathlib import Path

VECTORS = Path(__file__).resolve().parents[2] / "shared" / "vectors"

OPERATORS = [
    "var", "missing", "missing_some", "if", "?:", "and", "or", "!", "!!", "==", "!=", "===", "!==", "<", "<=", ">", ">=",
    "+", "-", "*", "/", "%", "min", "max", "cat", "substr", "in", "merge", "map", "filter", "reduce", "all", "some",
    "none", "log", "starts_with", "ends_with", "sem_ver", "fractional", "$flagd.timestamp", "targetingKey",
]
JSON = ['{"a":[1,-0.5e-7,true,null,"\\u00e9\\ud83d\\ude00"]}', "[]", "18446744073709551616", '"\\n"', "1e400"]
CONTEXT = {"targetingKey": "user-1", "email": "ada@example.com", "version": "1.2.3", "tags": ["a", "b"], "age": 42}
RULES = [
    {"if": [{"ends_with": [{"var": "email"}, "@example.com"]}, "on", None]},
    {"fractional": [["on", 25], ["off", 75]]},
    {"if": [{"sem_ver": [{"var": "version"}, ">=", "1.2.0"]}, "on", "off"]},
    {"if": [{"all": [{"var": "tags"}, {"in": [{"var": ""}, ["a", "b", "c", "d", "e", "f"]]}]}, "on", "off"]},
    {"reduce": [{"var": "tags"}, {"cat": [{"var": "accumulator"}, {"var": "current"}]}, ""]},
]

HTTP = [
    "GET /a%20b?c=d HTTP/1.1\r\nHost: a:80\r\nAccept-Encoding: gzip;q=0.5, *;q=0\r\nX:\t b \r\n\r\n",
    "POST / HTTP/1.1\r\nHost: [::1]\r\nContent-Length: 20\r\nExpect: 100-continue\r\n\r\naaaaaaaaaaaaaaaaaaaa",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a=\"b\"\r\nabc\r\nA ;c=d\r\n0123456789\r\n"
    "0\r\nX: y\r\n\r\nHEAD http://a/x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: x, close\r\n\r\nGET / HTTP/1.1\r\nHost: b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"x\", W/\"1\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"
    "\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nForwarded: for=\"[2001:db8::1]:80\";proto=http, for=10.0.0.2\r\n"
    "X-Forwarded-For: 2001:db8::1, 10.0.0.2\r\nIf-Unmodified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n\r\n",
]
HTTP_WORDS = [
    "HTTP/1.1\r\n", "HTTP/1.0\r\n", "\r\n\r\n", "Host: a\r\n", "Content-Length: ", "Transfer-Encoding: chunked\r\n",
    "Connection: ", "close", "keep-alive", "Expect: 100-continue\r\n", "0\r\n\r\n", "Accept-Encoding: ", "gzip",
    "identity", ";q=0", "If-Match: ", "If-None-Match: ", "If-Modified-Since: ", "If-Unmodified-Since: ", "W/\"1\"",
    "Forwarded: for=", "X-Forwarded-For: ", "http://a", "https://a", "OPTIONS * ", "GET / ", "POST / ", "HEAD / ",
    "CONNECT a:1 ",
]


def read(name: str) -> dict:
    path = VECTORS / name
    return json.loads(path.read_text()) if path.exists() else {}


def main():
    folder = Path(sys.argv[1])
    texts = [text.encode() for text in JSON]
    texts += [base64.b64decode(text) for text in read("json_parsing.json").get("files", {}).values()
              if isinstance(text, str)]
    rules = [(rule, CONTEXT) for rule in RULES]
    rules += [(test[0], test[1]) for test in read("jsonlogic_tests.json").get("tests", []) if len(test) == 3]
    for name in ("flagd_testbed.json", "flagd_differential.json"):
        for flag_set in read(name).get("flagSets", {}).values():
            rules += [(flag["targeting"], CONTEXT) for flag in flag_set["flags"].values() if flag.get("targeting")]
    # Whole with roomy limits, byte by byte with tight ones, and with three cuts.
    splits = [b"\0\0", b"\3\0", b"\0\3\0\x14\0\x1e\0\x42"]
    write(folder / "http", [split + text.encode() for text in HTTP for split in splits])
    write_words(folder / "words-http", HTTP_WORDS)
    write(folder / "json", texts)
    write(folder / "rules", [json.dumps(rule).encode() + b"\n" + json.dumps(data).encode() for rule, data in rules])
    # Writes are made of any bytes: something of each kind of item, and a little of everything.
    write(folder / "store", [bytes([kind, 0, name, 0, 2, 6, 3, value]) * 4 for kind in range(8) for name in (0, 2, 12)
                             for value in (3, 5, 10)])
    write_words(folder / "words-rules", [f'"{operator}"' for operator in OPERATORS])


def write_words(path: Path, words: list[str]):
    """A dictionary as libFuzzer reads it, every byte escaped."""
    lines = ("".join(f"\\x{byte:02x}" for byte in word.encode()) for word in words)
    path.write_text("".join(f'"{line}"\n' for line in lines))


def write(folder: Path, texts: list[bytes]):
    folder.mkdir(parents=True, exist_ok=True)
    for index, text in enumerate(texts):
        if len(text) <= 4096:
            (folder / f"seed-{index:04d}").write_bytes(text)


if __name__ == "__main__":
    main()
