"""The bodies. Their names are in camel case."""

from rest_framework import serializers

from .models import Event, Session


class RtcEventSerializer(serializers.ModelSerializer):
    """An event as a client sees it."""

    displayName = serializers.CharField(source="display_name")
    locationHint = serializers.CharField(source="location_hint")
    allowSourceVideo = serializers.BooleanField(source="allow_source_video")
    mobileDisallow = serializers.BooleanField(source="mobile_disallow")
    mobileAudienceDisallow = serializers.BooleanField(source="mobile_audience_disallow")
    mobileData = serializers.CharField(source="mobile_data")

    class Meta:
        model = Event
        fields = [
            *("id", "name", "displayName", "logo", "locationHint", "allowSourceVideo", "quality"),
            *("mobileDisallow", "mobileAudienceDisallow", "mobileData", "mfa"),
        ]


class EventSerializer(RtcEventSerializer):
    """An event as its organisers see it."""

    subscribersSeeFloor = serializers.BooleanField(source="subscribers_see_floor")

    class Meta(RtcEventSerializer.Meta):
        fields = [*RtcEventSerializer.Meta.fields, "owner", "managers", "disabled", "subscribersSeeFloor"]


class RtcSessionSerializer(serializers.ModelSerializer):
    """A session as a client sees it, with the token issued for it."""

    isFloor = serializers.BooleanField(source="is_floor")
    languageCode = serializers.CharField(source="language_code")
    tokbox = serializers.SerializerMethodField()

    class Meta:
        model = Session
        fields = ["id", "isFloor", "language", "languageCode", "mode", "archive", "tokbox"]

    def get_tokbox(self, session):
        return {"sessionId": session.session_id, "sessionToken": session.token}


class RtcRequestSerializer(serializers.Serializer):
    """The request of a client that joins."""

    loginToken = serializers.CharField()
    additionalAccess = serializers.ListField(child=serializers.CharField(), default=list)
