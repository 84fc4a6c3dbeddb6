"""The catalogue of codes: complete, consistent, and usable for answers."""

import pytest

from credmgr.aadsts import CATALOGUE, Entry

# Code, OAuth error and status, written down a second time, from Microsoft's list of error codes.
TABLE = """
7000215 invalid_client 401
7000222 invalid_client 401
7000216 invalid_client 401
7000218 invalid_client 401
700025 invalid_client 401
7000232 invalid_client 401
7000219 invalid_client 401
70002 invalid_client 401
50012 invalid_client 401
700027 invalid_client 401
700024 invalid_client 401
700021 invalid_client 401
700023 invalid_client 401
50027 invalid_request 400
700030 invalid_client 401
7000214 invalid_client 401
7000274 invalid_client 401
7000277 invalid_client 401
1000502 invalid_client 401
50013 invalid_grant 400
70025 invalid_client 401
700211 invalid_client 401
700212 invalid_client 401
700213 invalid_client 401
7002138 invalid_client 401
70021 invalid_request 400
50166 invalid_request 400
700229 invalid_client 401
700016 unauthorized_client 400
7000229 invalid_client 401
7000112 unauthorized_client 400
700038 unauthorized_client 400
70001 unauthorized_client 400
700011 unauthorized_client 400
90002 invalid_request 400
900023 invalid_request 400
900021 invalid_request 400
50059 invalid_request 400
90019 invalid_request 400
9001023 invalid_request 400
50194 invalid_request 400
50049 invalid_request 400
90038 invalid_request 400
900382 invalid_request 400
900432 invalid_request 400
7000114 invalid_request 400
1002012 invalid_scope 400
70011 invalid_scope 400
28002 invalid_scope 400
28003 invalid_scope 400
28000 invalid_scope 400
700022 invalid_scope 400
500011 invalid_resource 400
500014 invalid_resource 400
50001 invalid_resource 400
650057 invalid_resource 400
901002 invalid_request 400
501051 invalid_grant 400
65001 invalid_grant 400
900144 invalid_request 400
90014 invalid_request 400
70003 unsupported_grant_type 400
900561 invalid_request 405
9002313 invalid_request 400
90100 invalid_request 400
100007 invalid_request 400
90055 temporarily_unavailable 429
50196 invalid_grant 400
90033 temporarily_unavailable 503
53003 invalid_grant 400
"""


@pytest.mark.parametrize("line", TABLE.strip().splitlines())
def test_each_code_has_its_error_and_status(line: str) -> None:
    """Code, OAuth error, status."""
    code, error, status = line.split()
    entry = CATALOGUE[int(code)]
    assert (entry.code, entry.error, entry.status) == (int(code), error, int(status))


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=lambda entry: str(entry.code))
def test_each_entry_reads_well(entry: Entry) -> None:
    """Sentences that end, ids in quotes, nothing that could hold a secret."""
    for text in filter(None, (entry.meaning, entry.cure, entry.text, entry.issuer_text)):
        assert text[0].isupper() or text[0] in "'{"
        assert text.endswith((".", "}", "]"))
        assert text.isprintable()
    assert entry.can_be_emitted == (entry.text is not None)
    assert not {place for place in entry.places if "secret" in place or "assertion" in place}
    if entry.error == "invalid_client":
        assert entry.status == 401
