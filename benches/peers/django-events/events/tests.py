"""Checks the answers of the compared requests."""

import base64
import hashlib
import hmac
import re
from urllib.parse import parse_qsl

from django.conf import settings
from django.core.management import call_command
from django.test import TestCase

API_TOKEN = "0123456789abcdef0123456789abcdef01234567"


class Contract(TestCase):
    @classmethod
    def setUpTestData(cls):
        call_command("seed", password="password-of-admin", api_token=API_TOKEN)

    def test_an_organiser_logs_in_and_lists_the_events(self):
        credentials = {"username": "admin", "password": "password-of-admin"}
        obtained = self.client.post("/api/v2/token-auth/obtain/", credentials, "application/json")
        self.assertEqual((obtained.status_code, [*obtained.json()]), (200, ["token"]))
        jwt = {"authorization": f"JWT {obtained.json()['token']}"}
        page = self.client.get("/api/v2/events/?limit=8&offset=1", headers=jwt).json()
        self.assertEqual((page["count"], [event["id"] for event in page["results"]]), (20, [*range(9, 17)]))
        self.assertIn("offset=2", page["next"])
        self.assertEqual(len(page["results"][0]), 15)

    def test_a_session_token_has_the_form_t1(self):
        answer = self.client.post(
            "/api/v2/rtcsessions/", {"loginToken": "token-000004"}, "application/json",
            headers={"authorization": f"Token {API_TOKEN}"},
        )
        self.assertEqual((answer.status_code, len(answer.json()["event"])), (201, 11))
        self.assertEqual(len(answer.json()["sessions"]), 4)
        for session in answer.json()["sessions"]:
            token = session["tokbox"]["sessionToken"]
            self.assertTrue(token.startswith("T1=="))
            head, data = base64.b64decode(token[4:]).decode().split(":", 1)
            signature = hmac.new(settings.OPENTOK_API_SECRET.encode(), data.encode(), hashlib.sha1).hexdigest()
            self.assertEqual(head, f"partner_id={settings.OPENTOK_API_KEY}&sig={signature}")
            values = parse_qsl(data, keep_blank_values=True)
            names = "session_id create_time expire_time role nonce initial_layout_class_list connection_data"
            self.assertEqual([name for name, _ in values], names.split())
            self.assertEqual(dict(values)["session_id"], session["tokbox"]["sessionId"])
            self.assertRegex(dict(values)["connection_data"], re.compile(r"^[0-9a-f-]{36}$"))
