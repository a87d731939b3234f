"""Reads T1 tokens of OpenTok, independently of Greenroom and of OpenTok's SDK, which both make them."""

import base64
import hmac
from urllib.parse import parse_qsl

SENTINEL = "T1=="


def read(token, api_key, secret):
    """Checks the token's key and signature, and returns its fields in their order."""
    assert token.startswith(SENTINEL)
    head, data = base64.b64decode(token.removeprefix(SENTINEL), validate=True).decode().split(":", 1)
    signature = hmac.new(secret.encode(), data.encode(), "sha1").hexdigest()
    assert head == f"partner_id={api_key}&sig={signature}"
    return dict(parse_qsl(data, keep_blank_values=True, strict_parsing=True))
