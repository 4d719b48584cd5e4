"""Secrets are struck out, in every form in which they travel."""

import base64

from smtp_probe.report.redaction import MARK, Redactor


def make_redactor(*secrets):
    redactor = Redactor()
    for secret in secrets:
        redactor.register(secret)
    return redactor


def test_a_secret_is_struck_wherever_it_stands():
    redactor = make_redactor("hunter22")

    assert redactor.redact("LOGIN probe hunter22, again hunter22!") == (f"LOGIN probe {MARK}, again {MARK}!")


def test_its_base64_and_its_quoted_form_are_struck_too():
    secret = 'pass"wörd\\1'
    redactor = make_redactor(secret)
    encoded = base64.b64encode(secret.encode()).decode()

    for form in (encoded, repr(secret), str([secret])):
        assert MARK in redactor.redact(f"sent {form}")
        assert "wörd" not in redactor.redact(f"sent {form}")


def test_a_secret_within_a_secret_leaves_nothing():
    redactor = make_redactor("secret", "my secret key")

    assert redactor.redact("my secret key") == MARK


def test_a_text_without_secrets_is_unchanged():
    assert make_redactor("hunter22").redact("nothing to see") == "nothing to see"


def test_what_is_too_short_to_protect_anything_is_not_struck():
    assert make_redactor("", "a", "abc").redact("abc a") == "abc a"
