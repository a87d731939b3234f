// Runs the runtime interface client with the handler, as the bootstrap of AWS's image does.

import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

import { run } from 'aws-lambda-ric'

await run(dirname(fileURLToPath(import.meta.url)), 'app.handler')
