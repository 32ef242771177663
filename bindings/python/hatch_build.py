"""Puts the C library into the wheel, and tags the wheel for the glibc that the library needs."""

import os
import pathlib
import platform
import re
import shutil
import struct
import subprocess
import tempfile

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# The names of the architectures in tags, by e_machine of ELF.
ARCHITECTURES = {
    3: "i686", 21: "ppc64le", 22: "s390x", 40: "armv7l", 62: "x86_64", 183: "aarch64",
    243: "riscv64",
}


class CustomBuildHook(BuildHookInterface):
    def initialize(self, version, build_data):
        if version == "editable":
            raise SystemExit("zelf cannot be installed as editable: the library is only in wheels")
        library, licences = self.find()
        self.folder = tempfile.TemporaryDirectory()
        stripped = pathlib.Path(self.folder.name, library.name)
        if shutil.which("strip"):
            subprocess.run(["strip", "-o", stripped, library], check=True)
        else:
            shutil.copy(library, stripped)
        build_data["pure_python"] = False
        build_data["tag"] = "py3-none-" + platform_tag(library.read_bytes())
        build_data["force_include"][str(stripped)] = "zelf/libzelf.so.0"
        notices = f"zelf-{self.metadata.version}.dist-info/licenses"
        for licence in licences:
            build_data["force_include"][str(licence)] = f"{notices}/{licence.name}"

    def finalize(self, version, build_data, artifact_path):
        self.folder.cleanup()

    def find(self):
        """Returns the library, and the licences of the code in it."""
        if prefix := os.environ.get("ZELF_PREFIX"):
            library = pathlib.Path(prefix, "lib", "libzelf.so.0")
            documents = pathlib.Path(prefix, "share", "doc", "zelf")
            licences = sorted(documents.glob("LICENSE-*")) + [documents / "licences"]
        else:
            top = pathlib.Path(self.root).resolve().parent.parent
            built = top / "target" / self.target()
            library = built / "release" / "libzelf.so"
            licences = sorted(top.glob("LICENSE-*")) + [built / "package" / "licences"]
        if missing := [str(path) for path in (library, *licences) if not path.exists()]:
            raise SystemExit(
                f"zelf: there is no {missing[0]}: run make lib in the repository first, or set "
                "ZELF_PREFIX to the prefix of an installed libzelf"
            )
        return library, licences

    def target(self):
        """Returns the target that ZELF_TARGET names, or "" for what make lib has built."""
        target = os.environ.get("ZELF_TARGET", "")
        wanted = f"{platform.machine()}-unknown-linux-gnu"
        if target not in ("", wanted):
            raise SystemExit(f"zelf: ZELF_TARGET is {target}, and this Python's is {wanted}")
        return target


def platform_tag(library):
    """Returns the tag of the systems with the architecture and the glibc of the library."""
    if library[:4] != b"\x7fELF":
        raise SystemExit("zelf: wheels are for Linux only")
    endian = "<" if library[5] == 1 else ">"
    machine = struct.unpack_from(endian + "H", library, 18)[0]
    # The library names the version of glibc that each symbol came with.
    minors = re.findall(rb"\0GLIBC_2\.(\d+)(?=[.\0])", library)
    if not minors:
        raise SystemExit("zelf: wheels are for glibc only")
    return f"manylinux_2_{max(map(int, minors))}_{ARCHITECTURES[machine]}"
