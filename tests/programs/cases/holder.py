"""64 MiB in pieces of many sizes, made for this: under a limit most of the budget is used, and never more."""

import os
import signal


def run(stage):
    ready = stage.path("ready")
    server = stage.server(stage.tool("holder"), ready, ready=lambda: os.path.exists(ready),
                          compare=("stdout", "stderr"))
    stage.expect_lock(server.pid, "holder")
    stage.expect_budget_used(server.pid, "holder")
    stage.finish(server, send=signal.SIGTERM, status=4)
