"""The log keeps speaking while sounddevice has silenced descriptor 2."""

from __future__ import annotations

import subprocess
import sys


def test_nothing_is_lost_while_stderr_is_silenced() -> None:
    program = (
        "import os\n"
        "from visualizer.log import log, start_log\n"
        "start_log(); start_log()\n"
        "log.info('before')\n"
        "kept = os.dup(2); os.dup2(os.open(os.devnull, os.O_WRONLY), 2)\n"
        "log.info('meanwhile')\n"
        "os.dup2(kept, 2)\n"
        "log.info('after')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.split() == ["before", "meanwhile", "after"]


def test_what_was_tried_is_only_for_the_curious() -> None:
    program = (
        "import logging, sys\n"
        "from visualizer.log import say_more, start_log\n"
        "start_log()\n"
        "pack = logging.getLogger('visualizer.dancer.pack')\n"
        "pack.info('quiet'); pack.warning('loud')\n"
        "say_more()\n"
        "pack.info('asked-for')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.split() == ["loud", "asked-for"]


def test_no_console_is_no_error() -> None:
    program = "import sys; sys.stderr = None\nfrom visualizer.log import log, start_log\nstart_log(); log.info('x')"
    subprocess.run([sys.executable, "-c", program], timeout=60, check=True)
