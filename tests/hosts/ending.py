"""Python that ends while libzelf is at work. The argument: the library.

Until 3.14 Python ends a thread that comes for its lock meanwhile, with pthread_exit. This
is what happens here to callbacks, on the client's thread and in the middle of a call.
"""

import ctypes
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request

lib = ctypes.CDLL(sys.argv[1])
SESSION_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
DESTROY_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
LOG_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
for name in "config_new client_new session_create session_create_async".split():
    getattr(lib, "zelf_" + name).restype = ctypes.c_void_p
DEBUG = 4

ROUNDS = 5
# The time of the server to answer, and the time limit for Python to end.
ANSWERS_AFTER_MS, ENDS_WITHIN_S = 100, 0.6


@SESSION_CALLBACK
def on_session(session, error, number):
    pass


@DESTROY_CALLBACK
def on_destroy(number):
    pass


@LOG_CALLBACK
def on_message(level, message, number):
    pass


class Late:
    """Is taken down when Python ends, and takes its time. Other threads run meanwhile."""

    def __del__(self, sleep=time.sleep):
        sleep(ENDS_WITHIN_S)


def client(logs):
    config = ctypes.c_void_p(lib.zelf_config_new())
    lib.zelf_config_set_base_url(config, os.environ["ZELF_HTTP"].encode())
    if logs:
        lib.zelf_config_set_log_callback(config, on_message, None, on_destroy, DEBUG)
    return ctypes.c_void_p(lib.zelf_client_new(config, None))


def ends_with_calls(logs=False):
    made = client(logs)
    for number in range(10):
        lib.zelf_session_create_async(made, None, on_session, None, on_destroy, None)


def ends_with_calls_that_log():
    ends_with_calls(logs=True)


def ends_in_a_call():
    """Leaves threads inside calls that log."""
    made = client(True)
    for number in range(3):
        threading.Thread(target=lib.zelf_session_create, args=(made, None, None), daemon=True).start()
    time.sleep(ANSWERS_AFTER_MS / 2000)


ENDINGS = {
    "ends_with_calls": "Python ends with calls under way",
    "ends_with_calls_that_log": "and with calls under way that log",
    "ends_in_a_call": "and with threads in blocking calls that log",
}


def control(method, path, body=None):
    data = json.dumps(body).encode() if body else None
    # Do not use a proxy from the environment.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(os.environ["ZELF_CONTROL"] + path, data, method=method)
    opener.open(request).close()


def main():
    control("POST", "/sandbox/faults", {"kind": "delay", "ms": ANSWERS_AFTER_MS})
    is_broken = False
    for ending, words in ENDINGS.items():
        children = [
            subprocess.Popen([sys.executable, __file__, sys.argv[1], ending], stderr=subprocess.PIPE)
            for _ in range(ROUNDS)
        ]
        ends = [(child.communicate(timeout=60)[1], child.returncode) for child in children]
        fine = sum(end == (b"", 0) for end in ends)
        is_broken |= fine != ROUNDS
        print("ok -" if fine == ROUNDS else "not ok -", f"{words}: {fine} of {ROUNDS}", flush=True)
        if fine != ROUNDS:
            print(next(end for end in ends if end != (b"", 0)), file=sys.stderr)
    return is_broken


if __name__ == "__main__":
    if len(sys.argv) > 2:
        late = Late()
        globals()[sys.argv[2]]()
    else:
        sys.exit(main())
