"""The requests that the web app of an organisation's organisers sends on one day, and the JWT that it uses."""

import time

import jwt
import pytest

from greenroom import SIGNING_KEY, Api, client, organiser, serving, token_of

DAY = 24 * 3600
PAGE = ["count", "next", "previous", "results"]


@pytest.fixture
def own():
    """The address of a server that no other test uses, so that the test knows all entries of its lists."""
    with serving() as url:
        yield url


def claims_of(token):
    return jwt.decode(token, SIGNING_KEY, algorithms=["HS256"])


def signed(claims):
    return jwt.encode(claims, SIGNING_KEY, algorithm="HS256", headers={"kid": "1"})


def refreshed(url, token, status=200):
    return Api(url).post("/token-auth/refresh/", {"token": token}, status).json()


def add_user(creator, username, role, **fields):
    """Creates a user, sets the password that a login needs, and returns the id."""
    user = creator.create("/users/", username=username, role=role, **fields)["id"]
    creator.post(f"/users/{user}/password_set/", {"newPw": f"password of {username}"}, 204)
    return user


def log_in(url, username):
    return organiser(url, username, f"password of {username}")


# The JWT.


def test_a_jwt_says_who_logged_in(own):
    user = add_user(organiser(own), "Paul", "partner", email="paul@example.com")
    token = token_of(own, "paul", "password of Paul")
    assert jwt.get_unverified_header(token) == {"typ": "JWT", "alg": "HS256", "kid": "1"}
    claims = claims_of(token)
    assert set(claims) == {"user_id", "username", "email", "exp", "orig_iat", "epoch"}
    assert (claims["user_id"], claims["username"], claims["email"]) == (user, "Paul", "paul@example.com")
    assert claims["exp"] - claims["orig_iat"] == 7 * DAY
    assert abs(claims["orig_iat"] - time.time()) < 60


def test_a_jwt_is_accepted_until_an_hour_after_it_expires(url):
    claims, now = claims_of(token_of(url, "admin", "first-password")), int(time.time())
    late, too_late = [signed({**claims, "exp": now - ago}) for ago in (3500, 3700)]
    assert Api(url, f"JWT {late}").get("/")
    assert claims_of(refreshed(url, late)["token"])["exp"] > now
    answer = Api(url, f"JWT {too_late}").request("GET", "/", status=401)
    assert answer.json() == {"detail": "Signature has expired."}
    assert refreshed(url, too_late, 400) == {"non_field_errors": ["Signature has expired."]}


def test_a_jwt_is_refreshed_for_thirty_days_after_the_login(url):
    claims, now = claims_of(token_of(url, "admin", "first-password")), int(time.time())
    old, too_old = [signed({**claims, "orig_iat": now - days * DAY}) for days in (29, 31)]
    assert claims_of(refreshed(url, old)["token"])["orig_iat"] == now - 29 * DAY
    assert refreshed(url, too_old, 400) == {"non_field_errors": ["Refresh has expired."]}


@pytest.mark.parametrize("algorithm", ["none", "HS384", "HS512"])
def test_a_jwt_of_another_algorithm_is_refused(url, algorithm):
    claims = claims_of(token_of(url, "admin", "first-password"))
    key = None if algorithm == "none" else SIGNING_KEY * 2
    forged = jwt.encode(claims, key, algorithm=algorithm, headers={"kid": "1"})
    answer = Api(url, f"JWT {forged}").request("GET", "/", status=401)
    assert answer.json() == {"detail": "Error decoding signature."}


# The day.


class Congress:
    """A partner's event with its manager, two sessions and a login token."""

    def __init__(self, url):
        self.url, self.admin = url, organiser(url)
        self.partner_id = add_user(self.admin, "partner", "partner", firstName="Pat")
        self.partner = log_in(url, "partner")
        self.manager_id = add_user(self.partner, "manager", "manager")
        self.event = self.partner.create("/events/", name="Congress", managers=[self.manager_id])
        # A web app refreshes its token every day and uses the new one from then on.
        token = refreshed(url, token_of(url, "manager", "password of manager"))["token"]
        self.manager = Api(url, f"JWT {token}")
        event = self.event["id"]
        self.english = self.manager.create("/sessions/", event=event, language="English", languageCode="en")
        self.floor = self.manager.create("/sessions/", event=event, language="Floor", isFloor=True)
        self.add_token("participant")

    def add_token(self, kind):
        token = {"event": self.event["id"], "token": f"congress-{kind}", "tokenType": kind}
        self.login_token = self.manager.create("/logintokens/", **token)

    def joined_as(self, kind):
        """The ids of the sessions that a client gets when it joins."""
        answer = client(self.url).create("/rtcsessions/", loginToken=f"congress-{kind}")
        return [session["id"] for session in answer["sessions"]]


@pytest.fixture
def congress(own):
    return Congress(own)


def test_each_user_lists_what_they_may_access(congress):
    assert congress.event["owner"] == congress.partner_id
    assert congress.partner.get(f"/users/{congress.manager_id}/")["creator"] == congress.partner_id
    for caller in [congress.admin, congress.partner, congress.manager]:
        assert caller.get("/events/")["results"] == [congress.event]
        assert caller.get("/sessions/")["results"] == [congress.english, congress.floor]
        assert caller.get("/logintokens/")["results"] == [congress.login_token]
    others = {"admin": congress.admin, "partner": congress.partner, "manager": congress.manager}
    seen = {name: [user["username"] for user in caller.get("/users/")["results"]] for name, caller in others.items()}
    assert seen == {
        "admin": ["admin", "partner", "manager"],
        "partner": ["partner", "manager"],
        "manager": ["manager"],
    }


def test_participants_join_with_login_tokens(congress):
    assert congress.joined_as("participant") == [congress.english["id"]]
    congress.add_token("floor")
    assert congress.joined_as("floor") == [congress.floor["id"]]


def test_an_event_has_one_floor(congress):
    session = {"event": congress.event["id"], "language": "Another", "isFloor": True}
    assert list(congress.manager.post("/sessions/", session, 400).json()) == ["isFloor"]


def test_the_body_of_a_get_can_be_put_back(congress):
    event = f"/events/{congress.event['id']}/"
    paths = [event, f"/logintokens/{congress.login_token['id']}/", f"/users/{congress.manager_id}/"]
    paths += [f"/sessions/{session['id']}/" for session in [congress.english, congress.floor]]
    for path in paths:
        for caller in [congress.manager, congress.partner, congress.admin]:
            before = caller.get(path)
            assert caller.request("PUT", path, before).json() == before
            assert caller.get(path) == before
    changed = {**congress.event, "quality": "high", "mfa": "both"}
    assert congress.manager.request("PUT", event, changed).json() == changed
    patched = congress.manager.request("PATCH", event, {"mobileData": "blue"}).json()
    assert patched == {**changed, "mobileData": "blue"}


def test_everything_can_be_deleted(congress):
    admin, partner, manager = congress.admin, congress.partner, congress.manager
    not_found = {"detail": "Not found."}
    for path in [f"/logintokens/{congress.login_token['id']}/", f"/sessions/{congress.english['id']}/"]:
        assert not manager.request("DELETE", path, status=204).content
        assert manager.request("DELETE", path, status=404).json() == not_found

    event = f"/events/{congress.event['id']}/"
    manager.request("DELETE", event, status=403)
    owner = admin.request("DELETE", f"/users/{congress.partner_id}/", status=400)
    assert list(owner.json()) == ["nonFieldErrors"]
    partner.request("DELETE", event, status=204)
    assert manager.request("GET", f"/sessions/{congress.floor['id']}/", status=404).json() == not_found

    partner.request("DELETE", f"/users/{congress.manager_id}/", status=204)
    assert manager.request("GET", "/events/", status=401).json() == {"detail": "Invalid signature."}
    admin.request("DELETE", f"/users/{congress.partner_id}/", status=204)
    assert [user["username"] for user in admin.get("/users/")["results"]] == ["admin"]


# Pages and filters.


@pytest.fixture(scope="module")
def many():
    """An admin on a server with 25 events. Every second event is disabled, and every fifth has a logo."""
    with serving() as url:
        admin = organiser(url)
        for number in range(1, 26):
            logo = "https://example.com/a b&c.png" if number % 5 == 0 else ""
            admin.create("/events/", name=f"Event {number}", disabled=number % 2 == 0, logo=logo)
        yield admin


def pages(admin, path, follow):
    while path:
        answer = admin.request("GET", path)
        assert list(answer.json()) == PAGE
        yield answer.json()
        path = follow(answer)


def by_next(answer):
    return answer.json()["next"]


def by_link(answer):
    # `requests` parses the Link header. Its links are keyed by `rel`.
    link = answer.links.get("next")
    assert link is None or "cursor=" in link["url"]
    return link and link["url"]


@pytest.mark.parametrize("follow", [by_next, by_link])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?limit=10", range(1, 26)),
        ("?limit=25", range(1, 26)),
        ("?limit=1", range(1, 26)),
        ("?limit=5&disabled=True", range(2, 26, 2)),
        ("?disabled=False&limit=4", range(1, 26, 2)),
        ("?logo=https://example.com/a%20b%26c.png&limit=2", range(5, 26, 5)),
        ("?limit=2&name=Event+7", [7]),
        ("?name=event 7", []),
        ("?owner=1&managers=&unknown=1&limit=20", range(1, 26)),
        ("?owner=99", []),
    ],
)
def test_following_the_pages_of_a_list_finds_all_entries(many, follow, query, expected):
    found = list(pages(many, f"/events/{query}", follow))
    assert [event["id"] for page in found for event in page["results"]] == list(expected)
    if follow is by_next:
        assert {page["count"] for page in found} == {len(expected)}


def test_previous_leads_to_the_page_before(many):
    second = many.get("/events/?limit=10&offset=1&disabled=False")
    first = many.get(second["previous"])
    assert (first["previous"], [event["id"] for event in first["results"]]) == (None, list(range(1, 21, 2)))
    assert many.get(first["next"]) == second


def test_links_and_next_name_the_host_of_the_request(many):
    answer = many.request("GET", "/events/?limit=10")
    assert answer.json()["next"].startswith(f"{many.url}/events/?")
    assert answer.links["next"]["url"].startswith(f"{many.url}/events/?")


def test_deleting_between_two_pages_of_a_cursor_loses_nothing():
    with serving() as url:
        admin = organiser(url)
        events = [admin.create("/events/", name=f"Event {number}")["id"] for number in range(6)]
        page = admin.request("GET", "/events/?limit=2")
        for event in events[:2]:
            admin.request("DELETE", f"/events/{event}/", status=204)
        rest = list(pages(admin, by_link(page), by_link))
        assert [event["id"] for page in rest for event in page["results"]] == events[2:]
