"""Runs the runtime interface client with the handler, as the bootstrap of AWS's image does."""

import os
import sys

from awslambdaric.__main__ import main

os.chdir(os.path.dirname(os.path.abspath(__file__)))
main([sys.argv[0], "app.handler"])
