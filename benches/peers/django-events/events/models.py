"""The entities that the measured requests read and write."""

import uuid

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models


class User(AbstractBaseUser):
    """An organiser."""

    Role = models.TextChoices("Role", "admin partner manager")

    username = models.CharField(max_length=150, unique=True)
    email = models.EmailField(blank=True)
    role = models.CharField(max_length=10, choices=Role)
    is_active = models.BooleanField(default=True)

    objects = BaseUserManager()
    USERNAME_FIELD = "username"


class ApiToken(models.Model):
    """A client's static token. Only its SHA-256 is stored."""

    digest = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=255)
    mobile = models.BooleanField(default=False)


class Event(models.Model):
    """An event, with what its clients are told about it."""

    name = models.CharField(max_length=255, unique=True)
    display_name = models.CharField(max_length=255, blank=True, null=True)
    logo = models.CharField(max_length=2000, blank=True, null=True)
    owner = models.ForeignKey(User, models.PROTECT, related_name="owned")
    managers = models.ManyToManyField(User, related_name="managed", blank=True)
    disabled = models.BooleanField(default=False)
    subscribers_see_floor = models.BooleanField(default=False)
    location_hint = models.CharField(max_length=255, blank=True)
    allow_source_video = models.BooleanField(default=False)
    quality = models.TextField(blank=True)
    mobile_disallow = models.BooleanField(default=False)
    mobile_audience_disallow = models.BooleanField(default=False)
    mobile_data = models.TextField(blank=True)
    mfa = models.CharField(max_length=255, blank=True)


class Session(models.Model):
    """A language of an event, or its floor."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="sessions")
    language = models.CharField(max_length=255)
    language_code = models.CharField(max_length=255, blank=True, null=True)
    is_floor = models.BooleanField(default=False)
    session_id = models.CharField(max_length=255)
    mode = models.CharField(max_length=10, default="routed")
    archive = models.BooleanField(default=True)


class LoginToken(models.Model):
    """The token that a participant enters to join."""

    Type = models.TextChoices("Type", "participant interpreter floor remote moderator")

    event = models.ForeignKey(Event, models.CASCADE, related_name="login_tokens")
    token = models.CharField(max_length=255, unique=True)
    token_type = models.CharField(max_length=20, choices=Type)


class Connection(models.Model):
    """An issued session token. Its id is the token's connection data."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    session = models.ForeignKey(Session, models.CASCADE, related_name="connections")
    role = models.CharField(max_length=20)
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField()
