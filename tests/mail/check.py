"""Runs a command beside mail servers and checks the mails that they receive. Prints the findings and exits
with 1 if there are any.

    check.py COMMAND ARGUMENT...

The servers listen on free loopback ports and require a login. One has no TLS, one has STARTTLS, and one has
TLS from the start. GREENROOM_TEST_SMTP gives the command their URLs, separated by spaces, and
GREENROOM_TEST_SMTP_ROOTS gives it the certificate to trust. A command that ignores these variables fails,
because each server has to receive one mail.
"""

import asyncio
import logging
import os
import ssl
import sys
import tempfile
import warnings
from email import message_from_bytes, policy
from urllib.parse import quote

import trustme
from aiosmtpd.smtp import SMTP, AuthResult

# aiosmtpd warns of the login without TLS and of the client that does not trust an unknown certificate. The test
# intends both.
logging.disable()
warnings.simplefilter("ignore")

USER, PASSWORD = b"book:er", b"p@ss/w%rd"
HEADERS = [
    "From", "To", "Subject", "Message-ID", "Date", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
]
# The booking of tests/serve/bookings.rs, as a mail shows it.
LINES = [
    "Event",
    "  Date: the date, “été”",
    "  Country: the country, “été”",
    "  Length in days: the lengthDays, “été”",
    "  Hours a day: the lengthHoursDay, “été”",
    "  People: the amountPeople, “été”",
    "  From language: the fromLang, “été”",
    "  To language: the toLang, “été”",
    "",
    "Contact",
    "  Name: the name",
    "  Position: the position",
    "  Company: a",
    "      Bcc: <mallory@example.com>",
    "      ",
    "      .",
    "      MAIL FROM:<>",
    "  Phone: the phone",
    "  Email: the email",
]


class Mails:
    """The mails that one server receives."""

    def __init__(self):
        self.envelopes = []

    async def handle_DATA(self, server, session, envelope):
        self.envelopes.append(envelope)
        return "250 taken"


def authenticate(server, session, envelope, mechanism, login):
    return AuthResult(success=(login.login, login.password) == (USER, PASSWORD))


async def serve(wrapped=None, upgraded=None):
    """Starts a server. Returns its port and the mails that it receives."""
    mails = Mails()
    options = {"authenticator": authenticate, "auth_required": True, "hostname": "mail.example"}
    tls = {"tls_context": upgraded, "require_starttls": True} if upgraded else {"auth_require_tls": False}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mails, **options, **tls), "127.0.0.1", 0, ssl=wrapped)
    return server.sockets[0].getsockname()[1], mails


def findings(mails):
    """The faults in the mails of one server."""
    if len(mails.envelopes) != 1:
        return [f"{len(mails.envelopes)} mails instead of one"]
    [envelope] = mails.envelopes
    message = message_from_bytes(envelope.original_content, policy=policy.default)
    text = message.get_content().splitlines()
    booking = text[0].removeprefix("Booking ")
    compared = {
        "sender": (envelope.mail_from, "greenroom@localhost"),
        "receivers": (envelope.rcpt_tos, ["bookings@localhost"]),
        "headers": (message.keys(), HEADERS),
        "defects": (message.defects, []),
        "From": (message["From"], "greenroom@localhost"),
        "To": (message["To"], "bookings@localhost"),
        "Subject": (message["Subject"], f"Booking {booking}"),
        "Message-ID": (message["Message-ID"], f"<{booking}@localhost>"),
        "type": (message.get_content_type(), "text/plain"),
        "first lines": (text[1:3], ["Made at 2023-11-14T22:13:20Z", ""]),
        "lines": (text[3 : 3 + len(LINES)], LINES),
        "end": ("".join(text[3 + len(LINES) :]), ""),
    }
    return [f"{what}: {found!r} instead of {wanted!r}" for what, (found, wanted) in compared.items() if found != wanted]


async def main(command):
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    login = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@127.0.0.1"
    plain, upgraded, wrapped = await serve(), await serve(upgraded=context), await serve(wrapped=context)
    servers = {
        f"smtp://{login}:{plain[0]}": plain[1],
        f"smtp://{login}:{upgraded[0]}?tls=required": upgraded[1],
        f"smtps://{login}:{wrapped[0]}": wrapped[1],
    }
    with tempfile.TemporaryDirectory() as directory:
        roots = os.path.join(directory, "roots.pem")
        authority.cert_pem.write_to_path(roots)
        environment = {"GREENROOM_TEST_SMTP": " ".join(servers), "GREENROOM_TEST_SMTP_ROOTS": roots}
        child = await asyncio.create_subprocess_exec(*command, env={**os.environ, **environment})
        status = await child.wait()
    wrong = [f"{url.partition('@')[2]}: {finding}" for url, mails in servers.items() for finding in findings(mails)]
    for line in wrong:
        print(line, file=sys.stderr)
    return status or int(bool(wrong))


sys.exit(asyncio.run(main(sys.argv[1:])))
