"""What the image's own bootstrap does: it runs the runtime interface client with the handler."""

import os
import sys

from awslambdaric.__main__ import main

os.chdir(os.path.dirname(os.path.abspath(__file__)))
main([sys.argv[0], "app.handler"])
