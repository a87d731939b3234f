"""The three measured endpoints."""

import datetime

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from opentok import Client as OpenTok, Roles
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.generics import ListAPIView
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_jwt.views import ObtainJSONWebTokenView

from .authentication import ApiTokenAuthentication
from .models import Connection, Event, LoginToken
from .serializers import EventSerializer, RtcEventSerializer, RtcRequestSerializer, RtcSessionSerializer

DAY = datetime.timedelta(days=1)
opentok = OpenTok(settings.OPENTOK_API_KEY, settings.OPENTOK_API_SECRET)


class Obtain(ObtainJSONWebTokenView):
    """POST /token-auth/obtain/"""

    def post(self, request):
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response({"token": serializer.validated_data["token"]})


class Events(ListAPIView):
    """GET /events/"""

    serializer_class = EventSerializer

    def get_queryset(self):
        user, events = self.request.user, Event.objects.prefetch_related("managers").order_by("id")
        return events if user.role == "admin" else events.filter(Q(owner=user) | Q(managers=user)).distinct()


class RtcSessions(APIView):
    """POST /rtcsessions/"""

    authentication_classes = [ApiTokenAuthentication]

    def post(self, request):
        serializer = RtcRequestSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked = serializer.validated_data
        login = LoginToken.objects.select_related("event").filter(token=asked["loginToken"]).first()
        if login is None:
            raise PermissionDenied
        if login.event.disabled:
            raise NotFound
        if request.auth.mobile and login.event.mobile_disallow:
            raise PermissionDenied
        sees_floor = login.event.subscribers_see_floor or "view_floor" in asked["additionalAccess"]
        sessions = issue(login.event.sessions.order_by("id"), login.token_type, sees_floor)
        body = {
            "event": RtcEventSerializer(login.event).data,
            "loginToken": {"type": login.token_type},
            "sessions": RtcSessionSerializer(sessions, many=True).data,
        }
        return Response(body, status=201)


def issue(sessions, token_type, sees_floor):
    """The sessions that this type of token opens, each with a token that is recorded as a connection."""
    opened, connections, expires = [], [], timezone.now() + DAY
    for session in sessions:
        role = role_in(session, token_type, sees_floor)
        if role is None:
            continue
        connection = Connection(session=session, role=role.value, expires=expires)
        session.token = opentok.generate_token(
            session.session_id, role, int(expires.timestamp()), str(connection.id), use_jwt=False
        )
        opened.append(session)
        connections.append(connection)
    Connection.objects.bulk_create(connections)
    return opened


def role_in(session, token_type, sees_floor):
    """The role of a token of this type in a session, None if it may not join."""
    languages, floor = {
        "participant": (Roles.subscriber, Roles.subscriber if sees_floor else None),
        "interpreter": (Roles.publisher, Roles.subscriber),
        "floor": (None, Roles.publisher),
        "remote": (Roles.subscriber, Roles.publisher),
        "moderator": (Roles.moderator, Roles.moderator),
    }[token_type]
    return floor if session.is_floor else languages
