"""Fills an empty database with the data of the benchmark."""

import base64
import hashlib
import secrets
import time

from django.conf import settings
from django.core.management import BaseCommand

from events.models import ApiToken, Event, LoginToken, Session, User

SESSIONS = [("English", "en", False), ("Deutsch", "de", False), ("Français", "fr", False), ("Floor", None, True)]
TYPES = LoginToken.Type.values


class Command(BaseCommand):
    """`seed --password … --api-token …`"""

    help = __doc__

    def add_arguments(self, parser):
        parser.add_argument("--password", required=True)
        parser.add_argument("--api-token", required=True)
        parser.add_argument("--events", type=int, default=20)
        parser.add_argument("--login-tokens", type=int, default=1000)

    def handle(self, *, password, api_token, events, login_tokens, **_):
        admin = User(username="admin", email="admin@example.com", role="admin")
        admin.set_password(password)
        admin.save()
        ApiToken.objects.create(name="bench", digest=hashlib.sha256(api_token.encode()).hexdigest())
        made = Event.objects.bulk_create(event(number, admin) for number in range(events))
        Session.objects.bulk_create(
            Session(event=made[0], language=language, language_code=code, is_floor=floor, session_id=session_id())
            for language, code, floor in SESSIONS
        )
        LoginToken.objects.bulk_create(
            LoginToken(event=made[0], token=f"token-{number:06}", token_type=TYPES[number % len(TYPES)])
            for number in range(login_tokens)
        )


def event(number, owner):
    """An event. All events are alike."""
    name, logo = f"Event {number}", f"https://example.com/{number}.png"
    return Event(name=name, display_name=name, logo=logo, owner=owner, location_hint="1.2.3.4", mfa="email")


def session_id():
    """A session id as OpenTok makes them."""
    parts = ["1", settings.OPENTOK_API_KEY, "", str(int(time.time() * 1000)), secrets.token_urlsafe(18), ""]
    return "1_" + base64.urlsafe_b64encode("~".join(parts).encode()).decode().rstrip("=")
