// A device registers: the same work as create-session, in JavaScript.

import { createHmac, randomUUID } from 'node:crypto'

import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import jwt from 'jsonwebtoken'

const TTL = 2_592_000
const SESSIONS_MAX = 10

const { TABLE_NAME, DEVICE_KEY, SIGNING_KEYS } = process.env
const [{ kid, secret }] = JSON.parse(SIGNING_KEYS)
const key = Buffer.from(secret, 'base64')

// Created outside of the handler, so once in each process.
const client = new DynamoDBClient({})

const answer = (statusCode, body) => ({
  statusCode,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

function identifierOf(event) {
  try {
    const { identifier } = JSON.parse(event.isBase64Encoded ? Buffer.from(event.body, 'base64') : event.body)
    const valid = typeof identifier === 'string' && identifier.trim() !== '' && [...identifier].length <= 256
    return valid && !/\p{Cc}/u.test(identifier) ? identifier : undefined
  } catch {
    return undefined
  }
}

export const handler = async (event) => {
  const identifier = identifierOf(event)
  if (identifier === undefined) {
    return answer(400, { error: { code: 'invalid_identifier', message: 'The identifier is not valid' } })
  }
  const millis = Date.now()
  const now = Math.floor(millis / 1000)
  const end = now + TTL
  const device = createHmac('sha256', DEVICE_KEY).update(identifier).digest('hex')
  const session = `dev_${randomUUID().replaceAll('-', '')}`
  await client.send(
    new UpdateItemCommand({
      TableName: TABLE_NAME,
      Key: { PK: { S: `DEVICE#${device}` }, SK: { S: 'DEVICE' } },
      UpdateExpression:
        'SET #type = :type, identifier = :identifier, #session = :session, expiresAt = :end ADD live :one',
      ConditionExpression:
        'attribute_not_exists(#session) AND (attribute_not_exists(live) OR live < :max) ' +
        'AND (attribute_not_exists(expiresAt) OR expiresAt <= :end)',
      ExpressionAttributeNames: { '#type': 'Type', '#session': session },
      ExpressionAttributeValues: {
        ':type': { S: 'Device' },
        ':identifier': { S: identifier },
        ':session': {
          M: {
            createdAt: { N: String(millis) },
            refreshedAt: { N: String(millis) },
            expiresAt: { N: String(end) },
            generation: { N: '1' },
            kid: { S: kid },
          },
        },
        ':end': { N: String(end) },
        ':one': { N: '1' },
        ':max': { N: String(SESSIONS_MAX) },
      },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    }),
  )
  const claims = { aud: 'device', session, sub: device, generation: 1, iat: now, exp: end }
  const token = jwt.sign(claims, key, { algorithm: 'HS256', keyid: kid })
  return answer(200, { data: { token } })
}
