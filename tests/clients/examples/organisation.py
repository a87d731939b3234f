"""Creates what the examples assume: user 12, events 3 and 4, sessions 4 and 5, and enough events to fill pages."""

from greenroom import organiser, token_of

USERNAME, PASSWORD = "test", "testpass-of-user-12"
# The examples use a common password, which Greenroom no longer accepts as a new one.
PASSWORDS = {"testpass": PASSWORD}
INTERPRETER, PARTICIPANT = "interpreter-token", "participant-token"
EVENTS = 160


def add_user_12(admin):
    """Creates the user of the examples, without a password."""
    for number in range(2, 12):
        admin.create("/users/", username=f"user{number}", role="manager")
    user = admin.create("/users/", username=USERNAME, role="partner", email="test@example.com")
    assert user["id"] == 12


def set_password(admin, password):
    assert not admin.post("/users/12/password_set/", {"newPw": password}, 204).content


def fill(url):
    """Creates everything and returns the JWT of user 12."""
    admin = organiser(url)
    add_user_12(admin)
    set_password(admin, PASSWORD)
    partner = organiser(url, USERNAME, PASSWORD)
    for number in range(1, 4):
        partner.create("/events/", name=f"Event {number}")
    for language in ["English", "German", "French"]:
        partner.create("/sessions/", event=3, language=language)
    add_event_4(partner)
    for floor_is_seen in [False, True, False]:
        name = f"Disabled, floor {floor_is_seen}, {partner.get('/events/')['count']}"
        partner.create("/events/", name=name, disabled=True, subscribersSeeFloor=floor_is_seen)
    for number in range(8, EVENTS + 1):
        partner.create("/events/", name=f"Event {number}")
    return token_of(url, USERNAME, PASSWORD)


def add_event_4(partner):
    """Creates the event in the documented answer to POST /rtcsessions/."""
    event = partner.create(
        "/events/",
        name="Test Event 2016",
        displayName="Test Event",
        logo="https://example.com/logo.png",
        locationHint="1.2.3.4",
        mfa="email",
    )
    assert event["id"] == 4
    partner.create("/sessions/", event=4, language="English", languageCode="en")
    partner.create("/sessions/", event=4, language="Floor", isFloor=True)
    partner.create("/logintokens/", event=4, token=INTERPRETER, tokenType="interpreter")
    partner.create("/logintokens/", event=4, token=PARTICIPANT, tokenType="participant")
