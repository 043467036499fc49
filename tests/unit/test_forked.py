"""Programs that tests fork are as if they had been started anew."""

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pipe

from tests import forked


def _imported(sender):
    missing = [name for name in forked.MODULES if name not in sys.modules]
    sender.send((missing, [name for name in sys.modules if name == "streams.app" or name.startswith("agents")]))


def test_all_is_imported_but_what_reads_the_environment():
    receiver, sender = Pipe(duplex=False)
    process = forked._processes.Process(target=_imported, args=(sender,), daemon=True)
    process.start()
    assert receiver.poll(120)
    assert receiver.recv() == ([], [])
    process.join()


def test_a_command_has_its_environment_input_and_exit_code(tmp_path):
    environment = {"PATH": os.environ["PATH"], "GENESYS_SOURCE": "none", "ROUTES_DIR": str(tmp_path / "nowhere")}
    ended = forked.run(["simulate", "-"], environment, tmp_path, stdin=b'{"type": "voice"}')
    assert ended.code == 2
    assert ended.out == ""
    assert str(tmp_path / "nowhere") in ended.err


def test_each_thread_that_asks_hears_what_a_program_died_of(tmp_path):
    process = forked.start("emulators.aws", ["--port", "0"], os.environ, tmp_path / "out", tmp_path / "err")
    assert forked.announced(process, process.out, process.err)["url"]
    assert process.poll() is None
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(process.wait, 60) for _ in range(4)]
        process.kill()
        assert {one.result() for one in waiting} == {-signal.SIGKILL}
    assert process.returncode == -signal.SIGKILL
