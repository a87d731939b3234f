// What the image's own bootstrap does: it runs the runtime interface client with the handler.

import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

import { run } from 'aws-lambda-ric'

await run(dirname(fileURLToPath(import.meta.url)), 'app.handler')
