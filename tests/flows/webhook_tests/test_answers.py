"""The start of an answer, without what a handler sends back of the request's secrets."""

import pytest

from flows.outbound_http.pinned_post import MAX_BODY_BYTES
from flows.webhook_tests.answers import MAX_LENGTH, mask_answer

URL = (
    "https://bot:pass%20word1@hooks.example.com/services/T0AB/S3CRETpath?team=care"
    "&token=S3CRETtoken#S3CRETfragment"
)
TEXT = "Is my password=in-the-text safe?"
LOGIN = "Ym90OnBhc3Mgd29yZDE="
SIGNATURE = "Ab+/cdEFGH12345678abcdefghi="


def mask(text, url=URL):
    return mask_answer(
        text.encode(), url=url, text=TEXT, secrets=[SIGNATURE, "the-auth-token", LOGIN, ""]
    )


@pytest.mark.parametrize(
    "text", ["OK", '{"ok":true}', "<Response></Response>", "No handler for CH0"]
)
def test_ordinary_answer_stays(text):
    assert mask(text) == text


@pytest.mark.parametrize(
    "text",
    [
        URL,
        f"called: {URL}.",
        "no route /services/T0AB/S3CRETpath?team=care&token=S3CRETtoken",
        '{"id": "S3CRETpath", "t": "S3CRETtoken"}',
        "S3CRETfragment",
        "user bot, pass word1",
        "pass%20word1 pass+word1",
        "Authorization: Basic Ym90OnBhc3Mgd29yZDE=",
        "b64 Ym90OnBhc3Mgd29yZDE= here",
        f"X-Twilio-Signature: {SIGNATURE}",
        "sig=Ab%2B%2FcdEFGH12345678abcdefghi%3D",
        "key the-auth-token",
        "Body=Is+my+password%3Din-the-text+safe%3F",
        r'{"signature": "Ab+\/cdEFGH12345678abcdefghi="}',
        r'{"signature": "Ab\u002B/cdEFGH12345678abcdefghi\u003d"}',
        "<b>Ab&#43;/cdEFGH12345678abcdefghi&#x3D;</b>",
        "<b>Ab&plus;&sol;cdEFGH12345678abcdefghi&equals;</b>",
        "%41b+/%63dEFGH12345678abcdefghi=",
    ],
)
def test_echo_of_a_secret_is_masked(text):
    masked = mask(text)

    for secret in ("S3CRET", "word1", "Ym90", "cdEFGH", "the-auth-token", "in-the-text"):
        assert secret not in masked
    assert "masked-" in masked


def test_credentials_of_the_handlers_own_are_masked():
    assert "hunter2" not in mask("Traceback: connect(password='hunter2')")


def test_answer_is_cut_after_masking():
    text = "x" * (MAX_LENGTH - 10) + " S3CRETtoken " + "y" * MAX_LENGTH

    masked = mask(text)

    assert len(masked) == MAX_LENGTH
    assert "S3C" not in masked


def test_secret_that_the_post_cut_is_not_shown():
    secret = "S3CRET" + "x9" * 1000
    url = f"https://hooks.example.com/in?token={secret}"
    body = (secret.encode() * 40)[:MAX_BODY_BYTES]

    assert "S3CRET" not in mask_answer(body, url=url, text=TEXT, secrets=[])


def test_search_for_spellings_is_quick_in_any_answer():
    """A search that tried each combination of spellings would never end here."""
    url = f"https://hooks.example.com/in?token={'aB3' * 20}"

    for answer in ("aB3" * 19 + "aB", "%61" * 5000, "&#0" * 5000, r"\u0061" * 3000):
        mask(answer, url)


@pytest.mark.parametrize("body", [b"", b" \n\t", b"\xe2\x80\x8b"])
def test_empty_answer_is_empty(body):
    assert mask_answer(body, url=URL, text="", secrets=[]) == ""


def test_bytes_that_are_no_text_can_be_stored():
    assert mask_answer(b"\x00\xffPNG", url=URL, text="", secrets=[]) == "\u2400\ufffdPNG"
