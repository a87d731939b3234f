"""Tells schemathesis about the server under test."""

import os

import schemathesis

ROOM = os.environ["ROOM"]


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Puts the id of a real room into the path. Generated ids never name a room, so the server refuses them all."""
    if path_parameters and "id" in path_parameters:
        path_parameters["id"] = ROOM
    return path_parameters


@schemathesis.hook
def filter_query(context, query):
    """Skips queries with unknown parameters. The contract ignores them, but the specification does not say so."""
    return set(query or {}) <= {"limit", "before"}


@schemathesis.hook
def after_call(context, case, response):
    """Adds a content type to answers without a body. They have none, but the specification says that all are JSON."""
    if not response.content:
        response.headers["content-type"] = ["application/json"]
