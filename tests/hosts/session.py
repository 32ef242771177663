"""libzelf from Python, with nothing but ctypes. The argument: the library."""

import ctypes
import itertools
import multiprocessing
import os
import sys
import threading

lib = ctypes.CDLL(sys.argv[1])
SESSION_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
DESTROY_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_void_p)

# ctypes treats every type as int by default.
for names, result in (
    ("config_new client_new session_options_new session_create session_create_async", ctypes.c_void_p),
    ("session_token session_identifier error_message status_name version", ctypes.c_char_p),
    ("session_seconds_left", ctypes.c_int64),
    ("config_free client_free session_options_free session_free error_free call_free", None),
):
    for name in names.split():
        getattr(lib, "zelf_" + name).restype = result


class Failure(Exception):
    def __init__(self, error):
        super().__init__(lib.zelf_error_message(error).decode())
        self.status = lib.zelf_status_name(lib.zelf_error_status(error)).decode()
        lib.zelf_error_free(error)


def pointer(value):
    return ctypes.c_void_p(value)


class Client:
    def __init__(self, **settings):
        config, error = pointer(lib.zelf_config_new()), ctypes.c_void_p()
        for name, value in settings.items():
            getattr(lib, "zelf_config_set_" + name)(config, value.encode())
        self.handle = pointer(lib.zelf_client_new(config, ctypes.byref(error)))
        lib.zelf_config_free(config)
        if not self.handle:
            raise Failure(error)

    @staticmethod
    def options(identifier):
        options = pointer(lib.zelf_session_options_new())
        lib.zelf_session_options_set_identifier(options, identifier.encode())
        return options

    def create(self, identifier):
        options, error = self.options(identifier), ctypes.c_void_p()
        session = pointer(lib.zelf_session_create(self.handle, options, ctypes.byref(error)))
        lib.zelf_session_options_free(options)
        if not session:
            raise Failure(error)
        return take(session)

    def create_async(self, identifier, then):
        """Calls then(session, failure) on a thread of the library's."""
        number = next(numbers)
        waiting[number] = then
        options, error = self.options(identifier), ctypes.c_void_p()
        call = pointer(lib.zelf_session_create_async(
            self.handle, options, on_session, pointer(number), on_destroy, ctypes.byref(error)))
        lib.zelf_session_options_free(options)
        if not call:
            del waiting[number]
            raise Failure(error)
        lib.zelf_call_free(call)


# Two callback functions for all calls, kept until Python ends. A function per call would have to be
# freed while it runs.
numbers, waiting = itertools.count(1), {}


@SESSION_CALLBACK
def on_session(session, error, number):
    if session:
        waiting[number](take(pointer(session)), None)
    else:
        waiting[number](None, Failure(pointer(error)))


@DESTROY_CALLBACK
def on_destroy(number):
    del waiting[number]


def take(session):
    """What Python needs of a session, which is freed."""
    taken = {
        "token": lib.zelf_session_token(session).decode(),
        "identifier": lib.zelf_session_identifier(session).decode(),
        "seconds_left": lib.zelf_session_seconds_left(session),
    }
    lib.zelf_session_free(session)
    return taken


def promise(kept_it, name):
    print("ok -" if kept_it else "not ok -", name, flush=True)
    if not kept_it:
        promise.broken = True


promise.broken = False
inherited = None


def in_a_child(identifier):
    return inherited.create(identifier)["identifier"]


def main():
    global inherited
    client = Client(base_url=os.environ["ZELF_HTTPS"], ca_file=os.environ["ZELF_CA"])
    session = client.create("python-x")
    promise(session["token"].startswith("eyJ") and session["identifier"] == "python-x"
            and 590 < session["seconds_left"] <= 600, "Python creates a session over TLS")
    try:
        client.create("")
        promise(False, "and is told what went wrong")
    except Failure as failure:
        promise(failure.status == "ZELF_ERROR_INVALID_ARGUMENT" and "identifier" in str(failure),
                f"and is told what went wrong: {failure}")

    inherited = client
    with multiprocessing.get_context("fork").Pool(4) as pool:
        names = [f"python-child-{number}" for number in range(20)]
        promise(pool.map(in_a_child, names) == names,
                "processes that multiprocessing forks go on with the client")

    done, told = threading.Event(), []
    client.create_async("python-async-x", lambda *outcome: (told.append(outcome), done.set()))
    promise(done.wait(10) and told[0][1] is None and told[0][0]["identifier"] == "python-async-x",
            "a callback in Python gets a session")
    promise(lib.zelf_client_shutdown(client.handle, 1000) == 0 and not waiting,
            "and is let go of")
    lib.zelf_client_free(client.handle)
    return promise.broken


if __name__ == "__main__":
    sys.exit(main())
