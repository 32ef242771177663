"""The sandbox, where a server has to stall."""

import json, subprocess

from programs import ROOT

PROGRAM = ROOT / "target" / "debug" / "zelf-sandbox"


class Sandbox:
    def __init__(self, *options):
        self.process = subprocess.Popen(
            [PROGRAM, "--exit-with-stdin", "--quiet", "--lifetime", "86400", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ready = json.loads(self.process.stdout.readline())
        self.url, self.ca = self.ready["https"], self.ready["ca_file"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
