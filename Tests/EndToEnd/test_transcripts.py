"""Every route, success and failure, as curl sees it: the files in `transcripts/` are replayed and compared.

`pytest test_transcripts.py --update` writes them anew from what the server answers now; read the difference.
"""

import pytest

import transcript


@pytest.mark.parametrize("path", transcript.files(), ids=lambda path: path.stem)
def test_the_answers_are_as_written(path, server, tmp_path, pytestconfig):
    expected = transcript.parse(path.read_text())
    answered = transcript.replay(expected, server.origin, tmp_path)
    if pytestconfig.getoption("--update"):
        path.write_text(transcript.render(answered))
        return
    for was, now in zip(expected, answered):
        assert now.output == was.output, f"{path.name}: $ {was.command}"


def test_layout_keeps_the_spelling_of_numbers():
    text = '{"a":2.0,"long":"' + "x" * 120 + '","b":1e3,"c":[1,2.50]}'
    assert '"a": 2.0' in transcript.lay_out_text(text)
    assert '"b": 1e3' in transcript.lay_out_text(text)


def test_a_rendered_transcript_reads_back_the_same():
    exchanges = transcript.parse(
        "# One\n# more\n$ curl -i x \\\n    -d y\nHTTP/1.1 200 OK\n\n{}\n\n# Two\n$ curl z\nok\n")
    assert [exchange.command for exchange in exchanges] == ["curl -i x \\\n    -d y", "curl z"]
    assert exchanges[0].output == "HTTP/1.1 200 OK\n\n{}"
    assert transcript.parse(transcript.render(exchanges)) == exchanges
