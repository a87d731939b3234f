"""The documentation's examples for organisers of the API, unchanged.

The placeholders in them are the host, text in angle brackets, and text that is cut short with `(...)`.
"""

import json

import jwt
from answers import json_body
from organisation import EVENTS, PASSWORD, PASSWORDS, add_user_12, set_password

from greenroom import SIGNING_KEY, organiser, serving

WEEK = 7 * 24 * 3600


# Pagination: entries 100 to 150.
PAGE = r"""http GET /api/v2/events/?limit=50&offset=2 Authorization:"JWT <token>" """


def test_the_example_of_a_page(run, url, token):
    page = json_body(run(url, PAGE, {"<token>": token}), 200)
    assert list(page) == ["count", "next", "previous", "results"]
    assert page["count"] == EVENTS
    assert page["next"] == f"{url}/api/v2/events/?limit=50&offset=3"
    assert page["previous"] == f"{url}/api/v2/events/?limit=50&offset=1"
    assert [event["id"] for event in page["results"]] == list(range(101, 151))


# Error handling.
GENERAL_ERROR = r"""{
"detail": "Authentication credentials were not provided."
}"""
FIELD_ERROR = r"""{
"password": ["This field is required."]
}"""
NO_FIELD_ERROR = r"""{
"nonFieldErrors": [
"Unable to login with provided credentials."
]
}"""


def test_the_example_of_a_general_error(run, url):
    answer = run(url, "http GET /events/", {})
    assert json_body(answer, 401) == json.loads(GENERAL_ERROR)
    assert answer.headers["Www-Authenticate"] == 'JWT realm="api"'


def test_the_example_of_a_field_error(run, url):
    answer = run(url, "http POST /token-auth/obtain/ username=test", {})
    assert json_body(answer, 400) == json.loads(FIELD_ERROR)


def test_the_example_of_an_error_without_a_field(run, url, token):
    # The documentation writes `nonFieldErrors` here, and `non_field_errors` with the same words where it shows a login.
    # Logins answer with `non_field_errors`, and all other requests with `nonFieldErrors`.
    (key, words), = json.loads(NO_FIELD_ERROR).items()
    login = run(url, "http POST /token-auth/obtain/ username=test password=wrong", {})
    assert json_body(login, 400) == {"non_field_errors": words}
    create = """http POST /events/ Authorization:"JWT <token>" --raw '["a list"]'"""
    refused = json_body(run(url, create, {"<token>": token}), 400)
    assert refused == {key: ["Invalid data. Expected a dictionary, but got list."]}


# Filtering.
SESSIONS_OF_AN_EVENT = r"""http GET /sessions/?event=3 Authorization:"JWT d34db33f(...)" """
DISABLED_EVENTS = r"""http GET /events/?subscribersSeeFloor=False&disabled=True \
Authorization:"JWT d34db33f(...)" """


def test_the_example_of_a_filter(run, url, token):
    page = json_body(run(url, SESSIONS_OF_AN_EVENT, {"d34db33f(...)": token}), 200)
    assert page["count"] == 3
    assert [(session["event"], session["language"]) for session in page["results"]] == [
        (3, "English"),
        (3, "German"),
        (3, "French"),
    ]


def test_the_example_of_filters_with_booleans(run, url, token):
    page = json_body(run(url, DISABLED_EVENTS, {"d34db33f(...)": token}), 200)
    assert [event["id"] for event in page["results"]] == [5, 7]
    assert all(event["disabled"] and not event["subscribersSeeFloor"] for event in page["results"])


# Obtaining a token: the same request three times, with three answers.
OBTAIN = r"""http POST /token-auth/obtain/ username=test password=testpass"""
INVALID_CREDENTIALS = r"""{
"non_field_errors": ["Unable to login with provided credentials."]
}"""
BLOCKED_ACCOUNT = r"""{
"non_field_errors": ["User account is blocked."]
}"""


def test_the_examples_of_obtaining_a_token(run):
    with serving() as url:
        admin = organiser(url)
        add_user_12(admin)
        assert json_body(run(url, OBTAIN, PASSWORDS), 400) == json.loads(INVALID_CREDENTIALS)
        set_password(admin, PASSWORD)
        assert list(json_body(run(url, OBTAIN, PASSWORDS), 200)) == ["token"]
        # The documentation describes both as a POST without fields that answers 204.
        as_admin = {"<token>": admin.http.headers["Authorization"]}
        assert run(url, 'http POST /users/12/block/ Authorization:"<token>"', as_admin).status == 204
        assert json_body(run(url, OBTAIN, PASSWORDS), 400) == json.loads(BLOCKED_ACCOUNT)
        assert run(url, 'http POST /users/12/unblock/ Authorization:"<token>"', as_admin).status == 204
        assert list(json_body(run(url, OBTAIN, PASSWORDS), 200)) == ["token"]


# Using a token.
ROOT = r"""http GET / Authorization:"JWT eyJ0eXAiOiJK(...)aBqroY" """
ROOT_ANSWER = r"""{
"bookingemails": "http://localhost:8001/api/v2/bookingemails/",
"events": "http://localhost:8001/api/v2/events/",
"logintokens": "http://localhost:8001/api/v2/logintokens/",
"networktestsessions": "http://localhost:8001/api/v2/networktestsessions/",
"rtcsessions": "http://localhost:8001/api/v2/rtcsessions/",
"sessions": "http://localhost:8001/api/v2/sessions/",
"users": "http://localhost:8001/api/v2/users/"
}"""


def test_the_example_of_using_a_token(run, url, token):
    root = json_body(run(url, ROOT, {"eyJ0eXAiOiJK(...)aBqroY": token}), 200)
    assert json.dumps(root) == json.dumps(json.loads(ROOT_ANSWER.replace("http://localhost:8001", url)))


# Token claims, and refreshing.
CLAIMS = r"""{
"username": "test",
"user_id": 12,
"email": "test@example.com",
"exp": 1470054971
}"""
REFRESH = r"""http POST :8000/api/v2/token-auth/refresh/ token="eyJ0eXAiOiJK(...)aBqroY" """


def claims_of(token):
    return jwt.decode(token, SIGNING_KEY, algorithms=["HS256"])


def test_the_example_of_a_tokens_claims(run, url, token):
    claims = claims_of(json_body(run(url, OBTAIN, PASSWORDS), 200)["token"])
    example = json.loads(CLAIMS)
    # `orig_iat` is when the first token was issued, for the 30-day rule. `epoch` lets a new password end older tokens.
    assert set(claims) == {*example, "orig_iat", "epoch"}
    assert claims == {**claims, **example, "exp": claims["exp"]}
    assert claims["exp"] - claims["orig_iat"] == WEEK


def test_the_example_of_refreshing(run, url, token):
    answer = json_body(run(url, REFRESH, {"eyJ0eXAiOiJK(...)aBqroY": token}), 200)
    assert list(answer) == ["token"]
    before, after = claims_of(token), claims_of(answer["token"])
    assert after["exp"] >= before["exp"]
    assert {**after, "exp": before["exp"]} == before
    # token1 -> token2 -> token3
    again = json_body(run(url, REFRESH, {"eyJ0eXAiOiJK(...)aBqroY": answer["token"]}), 200)
    assert claims_of(again["token"])["orig_iat"] == before["orig_iat"]
