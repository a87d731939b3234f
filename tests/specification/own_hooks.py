"""What schemathesis is told of the server under test."""
