"""Runs Debian's OpenStack clients, many commands in one process, because most of a command's time is its start.

Reads lines of JSON, [program, argument, ...], and answers each with a line {"code", "stdout", "stderr"}.
"""
import contextlib
import io
import json
import logging
import sys

import cinderclient.shell
import openstackclient.shell


def run(program, arguments):
    out, err = io.StringIO(), io.StringIO()
    sys.argv = [program, *arguments]
    # Each command sets up logging for its own process; what an earlier one left would write everything to our stderr.
    logging.root.handlers = [logging.NullHandler()]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            if program == "cinder":
                code = cinderclient.shell.main()
            else:
                code = openstackclient.shell.main(arguments)
        except SystemExit as exit:
            code = exit.code
    return {"code": code or 0, "stdout": out.getvalue(), "stderr": err.getvalue()}


for line in sys.stdin:
    program, *arguments = json.loads(line)
    print(json.dumps(run(program, arguments)), flush=True)
