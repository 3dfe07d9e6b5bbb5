"""Runs Debian's OpenStack clients, each command in a fork of this process, because most of a command's time is its start.

Reads lines of JSON, [program, argument, ...], and answers each with a line {"code", "stdout", "stderr"}. In one process
the commands would share what the first one made, its token included.
"""
import contextlib
import io
import json
import logging
import os
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


def run_in_fork(program, arguments):
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receiving)
        with os.fdopen(sending, "w") as answer:
            json.dump(run(program, arguments), answer)
        os._exit(0)
    os.close(sending)
    with os.fdopen(receiving) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return text


for line in sys.stdin:
    program, *arguments = json.loads(line)
    print(run_in_fork(program, arguments), flush=True)
