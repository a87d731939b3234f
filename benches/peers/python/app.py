"""A device registers: the same work as create-session, in Python."""

import base64
import hashlib
import hmac
import json
import os
import time
import unicodedata
import uuid

import boto3
import jwt

TTL = 2_592_000
SESSIONS_MAX = 10

TABLE = os.environ["TABLE_NAME"]
DEVICE_KEY = os.environ["DEVICE_KEY"].encode()
SIGNING = json.loads(os.environ["SIGNING_KEYS"])[0]
KID = SIGNING["kid"]
SECRET = base64.b64decode(SIGNING["secret"])

# Created outside of the handler, so once in each process.
client = boto3.client("dynamodb")


def answer(status, body):
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}


def identifier_of(event):
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body)
    try:
        identifier = json.loads(body)["identifier"]
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(identifier, str) or not identifier.strip() or len(identifier) > 256:
        return None
    return None if any(unicodedata.category(character) == "Cc" for character in identifier) else identifier


def handler(event, _context):
    identifier = identifier_of(event)
    if identifier is None:
        return answer(400, {"error": {"code": "invalid_identifier", "message": "The identifier is not valid"}})
    millis = time.time_ns() // 1_000_000
    now, end = millis // 1000, millis // 1000 + TTL
    device = hmac.new(DEVICE_KEY, identifier.encode(), hashlib.sha256).hexdigest()
    session = f"dev_{uuid.uuid4().hex}"
    client.update_item(
        TableName=TABLE,
        Key={"PK": {"S": f"DEVICE#{device}"}, "SK": {"S": "DEVICE"}},
        UpdateExpression="SET #type = :type, identifier = :identifier, #session = :session, expiresAt = :end "
        "ADD live :one",
        ConditionExpression="attribute_not_exists(#session) AND (attribute_not_exists(live) OR live < :max) "
        "AND (attribute_not_exists(expiresAt) OR expiresAt <= :end)",
        ExpressionAttributeNames={"#type": "Type", "#session": session},
        ExpressionAttributeValues={
            ":type": {"S": "Device"},
            ":identifier": {"S": identifier},
            ":session": {
                "M": {
                    "createdAt": {"N": str(millis)},
                    "refreshedAt": {"N": str(millis)},
                    "expiresAt": {"N": str(end)},
                    "generation": {"N": "1"},
                    "kid": {"S": KID},
                }
            },
            ":end": {"N": str(end)},
            ":one": {"N": "1"},
            ":max": {"N": str(SESSIONS_MAX)},
        },
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
    claims = {"aud": "device", "session": session, "sub": device, "generation": 1, "iat": now, "exp": end}
    token = jwt.encode(claims, SECRET, algorithm="HS256", headers={"kid": KID})
    return answer(200, {"data": {"token": token}})
