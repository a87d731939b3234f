"""The JWT of organisers and the static token of clients."""

import hashlib

from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_jwt.utils import jwt_create_payload

from .models import ApiToken


def payload(user):
    """The claims of an organiser's JWT."""
    return jwt_create_payload(user) | {"email": user.email}


class Client:
    """A client with a static token. It belongs to no user."""

    is_authenticated = True


class ApiTokenAuthentication(TokenAuthentication):
    """`Authorization: Token <40 hex digits>`."""

    def authenticate_credentials(self, key):
        try:
            token = ApiToken.objects.get(digest=hashlib.sha256(key.encode()).hexdigest())
        except ApiToken.DoesNotExist:
            raise AuthenticationFailed("Invalid token.")
        return Client(), token
