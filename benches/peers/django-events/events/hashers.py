"""The password hasher."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2id(Argon2PasswordHasher):
    """Argon2id at the cost that OWASP recommends."""

    memory_cost = 19_456
    time_cost = 2
    parallelism = 1
