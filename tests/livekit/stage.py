"""A livekit-server and a Greenroom that know each other, and events on them."""

import base64
import sys
from contextlib import contextmanager
from pathlib import Path

import jwt
import requests
from livekit_server import KEY, SECRET, LiveKitServer
from participant import LIMIT, REMOVED, ROOM_DELETED, Participant, until
from webhooks import PATH, Webhooks

sys.path.insert(0, str(Path(__file__).parents[1] / "clients"))

from greenroom import (  # noqa: E402
    OPENVIDU_SECRET,
    STREAMS_ACCESS_TOKEN,
    client,
    new_event,
    organiser,
    serving,
)

OPERATOR = "Basic " + base64.b64encode(STREAMS_ACCESS_TOKEN.encode()).decode()
# Greenroom compares its list with the server's every ten seconds.
RECONCILED = 25


class Stage:
    """The servers, and the organiser and the app that call Greenroom."""

    def __init__(self, url, livekit, webhooks):
        self.url, self.livekit, self.webhooks = url, livekit, webhooks
        self.organiser, self.app = organiser(url), client(url)
        self.http = requests.Session()
        self.http.trust_env = False

    def operator(self, method, event, session, name=""):
        """What the operators' API answers."""
        address = f"{self.url}/v1/vhosts/default/apps/{event}/streams/{session}/sessions"
        if name:
            address += f"/{name}"
        return self.http.request(method, address, headers={"Authorization": OPERATOR}, timeout=20)

    def backend(self, method, path, body=None):
        """What the API answers that replaces OpenVidu's."""
        return self.http.request(method, self.url + path, json=body, auth=("OPENVIDUAPP", OPENVIDU_SECRET), timeout=20)

    def keeps_out(self, participant, limit=LIMIT):
        """Somebody comes back with the old token, and the media server says that they are out. Returns their client,
        which goes on waiting for media where it is put out before it has them."""
        name = identity(participant.token)
        known = {webhook.sid for webhook in self.webhooks.of(name)}

        def ended():
            return [webhook for webhook in self.webhooks.ends(name) if webhook.sid not in known]

        again = participant.comes_back()
        until("put out", ended, limit)
        if again.connected_at:
            assert again.put_out() in {REMOVED, ROOM_DELETED}
        return again

    def restart(self):
        """Starts the media server again, which has been killed."""
        self.livekit.start(self.webhooks.url)


@contextmanager
def started(direct=False, serve=serving, config=None, **settings):
    """Starts everything, yields the stage, and ends it. `direct` sends webhooks past the proxy. `serve` starts
    Greenroom with the settings, and the media server has what is in `config`."""
    livekit = LiveKitServer(**(config or {}))
    environment = {
        "VIDEO_PROVIDER": "livekit",
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": KEY,
        "LIVEKIT_API_SECRET": SECRET,
        "OPENVIDU_MEDIA": "livekit",
        **settings,
    }
    with Webhooks().running() as webhooks, serve(**environment) as url:
        webhooks.greenroom = url
        try:
            livekit.start(url + PATH if direct else webhooks.url)
            yield Stage(url, livekit, webhooks)
        finally:
            livekit.kill()


class Meeting:
    """An event with one session, and whoever joined it."""

    def __init__(self, stage, **session):
        self.stage = stage
        self.event = new_event(stage.organiser)["id"]
        fields = {"language": "English", "languageCode": "en", **session}
        made = stage.organiser.create("/sessions/", event=self.event, **fields)
        self.session, self.room = made["id"], made["sessionId"]
        self.joined = []
        self.kinds = set()

    def ticket(self, kind):
        """What the app gets for a login token of this type: where to connect, with which token."""
        login_token = f"event-{self.event}-{kind}"
        if kind not in self.kinds:
            self.kinds.add(kind)
            self.stage.organiser.create("/logintokens/", event=self.event, token=login_token, tokenType=kind)
        answer = self.stage.app.create("/rtcsessions/", loginToken=login_token)
        [session] = answer["sessions"]
        return session["livekit"]

    def invited(self, kind):
        """Somebody with a token who is not connected yet."""
        ticket = self.ticket(kind)
        participant = Participant(ticket["url"], ticket["token"])
        self.joined.append(participant)
        return participant

    def join(self, kind):
        return self.invited(kind).connect()

    def back(self, participant):
        """The participant, who begins to connect again with the same token."""
        again = participant.comes_back()
        self.joined.append(again)
        return again

    def keeps_out(self, participant, limit=LIMIT):
        self.joined.append(self.stage.keeps_out(participant, limit))

    def answered(self, participant, *events):
        """Waits until Greenroom has answered these webhooks about somebody."""

        def done():
            webhooks = self.stage.webhooks.of(identity(participant.token))
            return [webhook.event for webhook in webhooks if webhook.answers] == list(events)

        until(f"answers to {events}", done)

    def banned(self):
        """A guest whom the operator has put out."""
        guest = self.join("participant")
        self.answered(guest, "participant_joined")
        assert self.remove(guest) == 200
        assert guest.put_out() == REMOVED
        self.answered(guest, "participant_joined", "participant_left")
        return guest

    def entries(self, state=""):
        """The organisers' list by names: the live connections, or those in one state."""
        address = f"{self.stage.url}/api/live?event={self.event}&state={state}&limit=1000"
        return {entry["name"]: entry for entry in self.stage.organiser.get(address)["results"]}

    def entry(self, participant):
        """The organisers' list about somebody, live or ended."""
        name = identity(participant.token)
        return self.entries().get(name) or self.entries("ended").get(name)

    def state(self, participant):
        """The state and the reason of the entry about somebody."""
        entry = self.entry(participant)
        return entry and (entry["state"], entry["reason"])

    def listed(self):
        """The operators' list."""
        answer = self.stage.operator("GET", self.event, self.session)
        assert answer.status_code == 200, answer.text
        return set(answer.json()["response"])

    def remove(self, participant):
        """The operator's DELETE. Returns the status."""
        return self.stage.operator("DELETE", self.event, self.session, identity(participant.token)).status_code

    def terminate(self, participant, **options):
        """Ends the connection of somebody in the organisers' list. Returns status and entry."""
        [entry] = [entry for name, entry in self.entries().items() if name == identity(participant.token)]
        answer = self.stage.organiser.http.post(
            f"{self.stage.url}/api/live/{entry['id']}/terminate", json=options, timeout=20
        )
        return answer.status_code, answer.json()

    def delete(self, path):
        self.stage.organiser.request("DELETE", path, status=204)

    def present(self):
        """Who is in the room, as the media server says."""
        return set(self.tracks())

    def tracks(self):
        """The tracks of everybody in the room, as the media server says."""
        return {one["identity"]: one["tracks"] for one in self.stage.livekit.participants(self.room)}

    def outsider(self, name, room):
        """Somebody whose token is not Greenroom's but was made with the same key, as an operator's tools do."""
        grants = {"room": room, "roomJoin": True, "canPublish": True, "canSubscribe": True}
        participant = Participant(self.stage.livekit.client_url, self.stage.livekit.token(grants, name))
        self.joined.append(participant)
        return participant

    def end(self):
        for participant in self.joined:
            participant.leave()


def identity(token):
    """The name that a token gives to who joins with it."""
    return jwt.decode(token, options={"verify_signature": False})["sub"]
