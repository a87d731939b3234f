"""What schemathesis is told of the server under test."""

import os

import schemathesis

ROOM = os.environ["ROOM"]


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """No made-up id is that of a room; without this, nothing of a room would ever be answered."""
    if path_parameters and "id" in path_parameters:
        path_parameters["id"] = ROOM
    return path_parameters


@schemathesis.hook
def filter_query(context, query):
    """The contract ignores parameters that it does not know; the specification does not say."""
    return set(query or {}) <= {"limit", "before"}


@schemathesis.hook
def after_call(context, case, response):
    """The specification says that everything is JSON; an answer without a body is of no type."""
    if not response.content:
        response.headers["content-type"] = ["application/json"]
