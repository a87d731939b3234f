"""The routes."""

from django.urls import path

from .views import Events, Obtain, RtcSessions

urlpatterns = [
    path("api/v2/token-auth/obtain/", Obtain.as_view()),
    path("api/v2/events/", Events.as_view()),
    path("api/v2/rtcsessions/", RtcSessions.as_view()),
]
