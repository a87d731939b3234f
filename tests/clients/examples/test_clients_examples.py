"""The documentation's examples for clients of the API, unchanged.

The placeholders in them are the host, text in angle brackets, and text that is cut short with `(...)`.
"""

import json
import re

import pytest
from answers import json_body
from organisation import INTERPRETER, PARTICIPANT

import t1
from greenroom import API_TOKEN, OPENTOK_API_KEY, OPENTOK_API_SECRET, serving


# RTC sessions.
JOIN = r"""http POST /rtcsessions/ \
loginToken=<logintoken> \
additionalAccess:='["view_floor"]' \
Authorization:"Token <apitoken>" """
JOIN_ANSWER = r"""{
"event": {
"displayName": "Test Event",
"id": 4,
"locationHint": "1.2.3.4",
"allowSourceVideo": false,
"logo": "https://example.com/logo.png",
"name": "Test Event 2016",
"quality": "",
"mobileDisallow": false,
"mobileAudienceDisallow": false,
"mobileData": "",
"mfa": "email"
},
"loginToken": {
"type": "interpreter"
},
"sessions": [
{
"id": 4,
"isFloor": false,
"language": "English",
"languageCode": "en",
"mode": "routed",
"archive": true,
"tokbox": {
"sessionId": "1_MX40NT(...)09-fg",
"sessionToken": "T1==cGF(...)5LWZn"
}
},
{
"id": 5,
"isFloor": true,
"language": "Floor",
"languageCode": null,
"mode": "routed",
"archive": true,
"tokbox": {
"sessionId": "2_MX40NTYzODj(...)FR-fg",
"sessionToken": "T1==cGFy(...)Zmc="
}
}
]
}"""


def join(run, url, login_token):
    """Joins an event. Returns the answer and the fields in the token of each session."""
    answer = json_body(run(url, JOIN, {"<logintoken>": login_token, "<apitoken>": API_TOKEN}), 201)
    granted = []
    for session in answer["sessions"]:
        tokbox = session["tokbox"]
        granted.append(t1.read(tokbox["sessionToken"], OPENTOK_API_KEY, OPENTOK_API_SECRET))
        assert granted[-1]["session_id"] == tokbox["sessionId"]
    return answer, granted


def test_the_example_of_joining(run, url, token):
    answer, granted = join(run, url, INTERPRETER)
    example = json.loads(JOIN_ANSWER)
    for session, shown in zip(answer["sessions"], example["sessions"], strict=True):
        assert re.match(r"[0-9]_MX4[A-Za-z0-9_-]+$", session["tokbox"]["sessionId"])
        # The documentation cuts these values short. Everything else has to match, including the order of the keys.
        assert list(session["tokbox"]) == list(shown["tokbox"])
        session["tokbox"] = shown["tokbox"]
    assert json.dumps(answer) == json.dumps(example)
    assert [grant["role"] for grant in granted] == ["publisher", "subscriber"]


def test_the_example_of_joining_shows_a_participant_the_floor(run, url, token):
    answer, granted = join(run, url, PARTICIPANT)
    assert answer["loginToken"] == {"type": "participant"}
    assert [session["language"] for session in answer["sessions"]] == ["English", "Floor"]
    assert [grant["role"] for grant in granted] == ["subscriber", "subscriber"]


# Booking emails. The commas after the last entries are not valid JSON.
BOOKING = r"""{
"event": {
"date": "...",
"country": "...",
"lengthDays": "...",
"lengthHoursDay": "...",
"amountPeople": "...",
"fromLang": "...",
"toLang": "...",
},
"contact": {
"name": "...",
"position": "...",
"company": "...",
"phone": "...",
"email": "...",
}
}"""
BOOK = """http POST /bookingemails/ Authorization:"Token <apitoken>" --raw '<body>'"""


def test_the_example_of_a_booking(run, tmp_path):
    with serving(MAIL_DIR=str(tmp_path)) as url:
        refused = run(url, BOOK, {"<apitoken>": API_TOKEN, "<body>": BOOKING})
        body = json_body(refused, 400)
        assert list(body) == ["detail"] and body["detail"].startswith("JSON parse error - ")
        assert list(tmp_path.iterdir()) == []

        as_meant = BOOKING.replace(",\n}", "\n}")
        booked = run(url, BOOK, {"<apitoken>": API_TOKEN, "<body>": as_meant})
        assert (booked.status, booked.body) == (204, None)
        (mail,) = tmp_path.iterdir()
        assert mail.suffix == ".eml"


# Network test session. A line of the example ends with two backslashes, and its path lacks an s.
NETWORK_TEST = r"""curl -X POST -H "Content-Type: application/json" \\
-H "Authorization: Token d34db33f(...)" \\
http://localhost:8001/api/v2/networktestsession/"""


@pytest.mark.parametrize("path", ["networktestsession", "networktestsessions"])
def test_the_example_of_a_network_test(run, url, path):
    example = NETWORK_TEST.replace("networktestsession", path)
    body = json_body(run(url, example, {"d34db33f(...)": API_TOKEN}), 201)
    assert list(body) == ["sessionId", "sessionToken"]
    granted = t1.read(body["sessionToken"], OPENTOK_API_KEY, OPENTOK_API_SECRET)
    assert (granted["session_id"], granted["role"]) == (body["sessionId"], "publisher")
